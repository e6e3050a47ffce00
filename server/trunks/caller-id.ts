import type { Diverted, Shown } from '#calls/needs.ts'
import type { CompiledConfig, CompiledTrunk } from '#server/config/compiled.ts'
import { writeFor } from '#server/numbering/numbering.ts'
import { type DiversionReason, formatDiversion } from '#sip/identity/diversion.ts'
import { formatHistory } from '#sip/identity/history-info.ts'
import { ANONYMOUS } from '#sip/identity/privacy.ts'

/** Who a call claims to be from, before a trunk's rules. */
export interface Claim {
  /** The device that calls, when one does. */
  device: string | null
  /** The caller as they came to us. The number is empty when it is withheld. */
  from: { number: string; name?: string }
  show?: Shown
  emergency?: boolean
  /** One of ours asks not to be shown. */
  withheld?: boolean
  /** The number of the company's that the caller asks to show. */
  preferred?: string
  /** The call came from outside and goes out again. */
  forwarded?: Diverted
}

/** How a trunk is told who calls: nothing in it is a number that the company may not show there. */
export interface ShownCaller {
  from: string
  headers: (readonly [string, string])[]
  /** The number that verifiers will look at, in E.164: the asserted one, else that of From. Null when there is none. */
  number: string | null
}

/** The number of ours that a call may show on a trunk, in E.164; null when the company has none at all. */
export function numberToShow(config: CompiledConfig, trunk: CompiledTrunk, claim: Claim): string | null {
  return wishes(config, claim).find((number) => number !== null && trunk.callerId.allowed.has(number)) ?? trunk.callerId.default
}

function wishes(config: CompiledConfig, claim: Claim): (string | null)[] {
  const company = config.settled.callerId
  if (claim.emergency === true) return [config.emergency?.callback ?? null, company]
  if (claim.show === 'company') return [company]
  if (claim.show === 'caller') return [claim.from.number, claim.preferred ?? null, company]
  if (claim.show !== undefined) return [claim.show.number, company]
  const device = claim.device === null ? undefined : config.devices.get(claim.device)
  const preferred = claim.preferred !== undefined && device?.mayShow.has(claim.preferred) === true ? claim.preferred : null
  return [preferred, device?.callerId ?? null, company]
}

/**
 * Writes the caller as the trunk's rule wants: From alone, From and P-Asserted-Identity (RFC 3325), the latter or P-Preferred-Identity beside
 * our trunk user, or Remote-Party-ID. Who asks not to be shown is nowhere in it, but for the assertion that a trusted trunk is given with
 * Privacy `id`. An emergency call always shows its number.
 */
export function showCaller(config: CompiledConfig, trunk: CompiledTrunk, domain: string, claim: Claim): ShownCaller {
  const number = numberToShow(config, trunk, claim)
  const emergency = claim.emergency === true
  const byRule = claim.show === undefined || claim.show === 'company'
  const original = claim.forwarded !== undefined && byRule && trunk.callerId.forwarded === 'original' && !emergency
  const hidden = !emergency && (claim.withheld === true || (original && claim.from.number === ''))
  const write = (each: string): string =>
    addressOf(trunk, domain, writeFor(trunk.numberFormat.caller, { e164: each, digits: each }, config.company.country))
  const ours = number === null ? null : write(number)
  if (hidden) return withhold(trunk, domain, { ours, number })
  const shown = original && /^\+[1-9]\d{2,14}$/.test(claim.from.number) ? claim.from.number : number
  const first = shown === null ? null : write(shown)
  const user = trunk.username === null ? (first ?? ANONYMOUS) : addressOf(trunk, domain, trunk.username)
  switch (trunk.callerId.rule) {
    case 'asserted':
      return { from: first ?? ANONYMOUS, headers: asserted('P-Asserted-Identity', ours), number }
    case 'from':
      return { from: first ?? ANONYMOUS, headers: [], number: shown }
    case 'pai':
      return { from: user, headers: asserted('P-Asserted-Identity', first), number: shown }
    case 'ppi':
      return { from: original ? (first ?? user) : user, headers: asserted('P-Preferred-Identity', ours), number }
    case 'rpid':
      return {
        from: user,
        headers: first === null ? [] : [['Remote-Party-ID', `${first};party=calling;screen=yes;privacy=off`]],
        number: shown,
      }
  }
}

/** RFC 3323 §4.1, RFC 3325 §7: anonymous everywhere, asserted only within the trust domain. Without a user of its own a trunk sees nobody. */
function withhold(trunk: CompiledTrunk, domain: string, us: { ours: string | null; number: string | null }): ShownCaller {
  const { rule, trusted } = trunk.callerId
  const privacy = ['Privacy', 'id'] as const
  // Carriers that know their customers by From know this one by its user, which is no number of anybody's who calls.
  const account = trunk.username !== null && rule !== 'asserted' && rule !== 'from' && !isNumber(trunk.username)
  const from = account ? addressOf(trunk, domain, trunk.username ?? '') : ANONYMOUS
  if (!trusted || us.ours === null || rule === 'from') return { from, headers: [privacy], number: null }
  if (rule === 'rpid')
    return { from, headers: [['Remote-Party-ID', `${us.ours};party=calling;screen=yes;privacy=full`], privacy], number: us.number }
  const name = rule === 'ppi' ? 'P-Preferred-Identity' : 'P-Asserted-Identity'
  return { from, headers: [...asserted(name, us.ours), privacy], number: us.number }
}

/** Headers that say a call was meant for us first, as the trunk wants them; a number that must not be shown is in none. */
export function showDiversion(
  config: CompiledConfig,
  trunk: CompiledTrunk,
  domain: string,
  to: string,
  diverted: Diverted | undefined,
): (readonly [string, string])[] {
  if (diverted === undefined || trunk.diversion === 'none' || !trunk.callerId.allowed.has(diverted.by)) return []
  const user = writeFor(trunk.numberFormat.caller, { e164: diverted.by, digits: diverted.by }, config.company.country)
  const reason: DiversionReason = diverted.reason
  const headers: (readonly [string, string])[] = []
  if (trunk.diversion !== 'history-info') headers.push(['Diversion', formatDiversion(`sip:${user}@${domain}`, reason)])
  if (trunk.diversion !== 'diversion')
    for (const entry of formatHistory({ user, host: domain }, { user: to, host: domain }, reason)) headers.push(['History-Info', entry])
  return headers
}

function asserted(name: string, address: string | null): (readonly [string, string])[] {
  return address === null ? [] : [[name, address]]
}

function addressOf(trunk: CompiledTrunk, domain: string, user: string): string {
  return `<sip:${user}@${domain}${trunk.userPhone && isNumber(user) ? ';user=phone' : ''}>`
}

function isNumber(user: string): boolean {
  return /^\+?[0-9*#]+$/.test(user)
}
