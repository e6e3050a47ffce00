import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Route } from '#server/dialplan/decide.ts'

/** A shared phone at which nobody has logged in reaches whom the company lets it reach, and always who helps. */
export function mayReach({ settled }: CompiledConfig, device: CompiledDevice, route: Route): boolean {
  if (!device.shared || device.person !== null || settled.hotDesk.loggedOut === 'all') return true
  if (route.kind === 'emergency' || route.kind === 'refused') return true
  return settled.hotDesk.loggedOut === 'internal' && route.kind === 'target'
}
