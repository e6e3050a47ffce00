import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Feature } from '#server/config/features.ts'
import type { Route } from '#server/dialplan/decide.ts'

/** A shared phone at which nobody has logged in reaches whom the company lets it reach, and always who helps. */
export function mayReach({ settled }: CompiledConfig, device: CompiledDevice, route: Route): boolean {
  if (!isLoggedOut(device) || settled.hotDesk.loggedOut === 'all') return true
  if (route.kind === 'emergency' || route.kind === 'refused') return true
  return settled.hotDesk.loggedOut === 'internal' && route.kind === 'target'
}

/** Whether it may do something by a code: to log in always, all else only where it reaches colleagues. */
export function mayDo({ settled }: CompiledConfig, device: CompiledDevice, { kind }: Feature): boolean {
  return kind === 'login' || kind === 'logout' || !isLoggedOut(device) || settled.hotDesk.loggedOut !== 'emergency'
}

function isLoggedOut({ shared, person }: CompiledDevice): boolean {
  return shared && person === null
}
