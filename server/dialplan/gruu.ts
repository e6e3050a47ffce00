import type { Outcome } from '#contract/outcome.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Route } from '#server/dialplan/decide.ts'

/** One phone among those that share a name, as its GRUU names it. */
export interface OnePhone {
  readonly device: CompiledDevice
  /** `+sip.instance`, without quotes. */
  readonly instance: string
}

/** The phone that a GRUU (RFC 5627) leads to; `nobody` when it is another company's or nobody's; null when the URI is an ordinary one. */
export function phoneOfGruu(gruus: Pick<Gruus, 'find'>, config: CompiledConfig, uri: string): OnePhone | 'nobody' | null {
  const found = gruus.find(uri)
  if (found === null || found === 'nobody') return found
  const at = found.aor.lastIndexOf('@')
  const device = config.settled.sipDomains.has(found.aor.slice(at + 1)) ? config.devicesByUsername.get(found.aor.slice(0, at)) : undefined
  return device === undefined ? 'nobody' : { device, instance: found.instance }
}

/** Where a call to a GRUU goes. */
export function routeOfGruu(phone: OnePhone | 'nobody'): Route {
  const outcome: Outcome = { kind: 'wrong-number', by: 'caller', sip: 404, detail: 'no phone has this address' }
  return phone === 'nobody' ? { kind: 'refused', rule: 'unknown-number', outcome } : { kind: 'target', target: { device: phone.device.id } }
}
