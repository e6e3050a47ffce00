import type { Shown } from '#calls/needs.ts'
import type { CompiledConfig, CompiledTrunk } from '#server/config/compiled.ts'
import { writeFor } from '#server/numbering/numbering.ts'

/** Who a call claims to be from, before a trunk's rules. */
export interface Claim {
  /** The device that calls, when one does. */
  device: string | null
  /** The caller as they came to us. */
  from: { number: string; name?: string }
  show?: Shown
  emergency?: boolean
}

/** The headers by which a trunk is shown our number: never one that is not the company's to show (or on the trunk's list). */
export interface ShownCaller {
  from: string
  headers: (readonly [string, string])[]
}

/** The number that a call may show on a trunk, in E.164; null when the company has none at all. */
export function numberToShow(config: CompiledConfig, trunk: CompiledTrunk, claim: Claim): string | null {
  return wishes(config, claim).find((number) => number !== null && trunk.callerId.allowed.has(number)) ?? trunk.callerId.default
}

function wishes(config: CompiledConfig, claim: Claim): (string | null)[] {
  const company = config.settled.callerId
  if (claim.emergency === true) return [config.emergency?.callback ?? null, company]
  if (claim.show === 'company') return [company]
  if (claim.show === 'caller') return [claim.from.number, company]
  if (claim.show !== undefined) return [claim.show.number, company]
  return [claim.device === null ? null : (config.devices.get(claim.device)?.callerId ?? null), company]
}

/** Writes it as the trunk's rule wants: From alone, From and P-Asserted-Identity (RFC 3325), the latter beside our trunk user, or Remote-Party-ID. */
export function showCaller(config: CompiledConfig, trunk: CompiledTrunk, domain: string, number: string | null): ShownCaller {
  const written = number === null ? null : writeFor(trunk.numberFormat.out, { e164: number, digits: number }, config.company.country)
  const own = trunk.username ?? written ?? 'anonymous'
  const shown = written === null ? '<sip:anonymous@anonymous.invalid>' : `<sip:${written}@${domain}>`
  switch (trunk.callerId.rule) {
    case 'asserted':
      return { from: shown, headers: written === null ? [] : [['P-Asserted-Identity', shown]] }
    case 'from':
      return { from: shown, headers: [] }
    case 'pai':
      return { from: `<sip:${own}@${domain}>`, headers: written === null ? [] : [['P-Asserted-Identity', shown]] }
    case 'rpid':
      return {
        from: `<sip:${own}@${domain}>`,
        headers: written === null ? [] : [['Remote-Party-ID', `${shown};party=calling;screen=yes;privacy=off`]],
      }
  }
}
