import type { Diverted, Shown } from '#calls/needs.ts'
import type { CompiledConfig, CompiledDevice, CompiledTrunk } from '#server/config/compiled.ts'
import { writeFor } from '#server/numbering/numbering.ts'
import { formatDiversion } from '#sip/identity/diversion.ts'
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
function numberToShow(config: CompiledConfig, trunk: CompiledTrunk, claim: Claim): string | null {
  return wishes(config, claim).find((number) => number !== null && trunk.callerId.allowed.has(number)) ?? trunk.callerId.default
}

function wishes(config: CompiledConfig, claim: Claim): (string | null)[] {
  const company = config.settled.callerId
  const device = claim.device === null ? undefined : config.devices.get(claim.device)
  if (claim.emergency === true) return wishesInEmergency(config, device)
  if (claim.show === 'company') return [company]
  if (claim.show === 'caller') return [claim.from.number, claim.preferred ?? null, company]
  if (claim.show !== undefined) return [claim.show.number, company]
  const preferred = claim.preferred !== undefined && device?.mayShow.has(claim.preferred) === true ? claim.preferred : null
  return [preferred, device?.callerId ?? null, company]
}

/** Where help is to come to: the place of the phone before that of the company. */
function wishesInEmergency(config: CompiledConfig, device: CompiledDevice | undefined): (string | null)[] {
  return [device?.emergencyCallerId ?? null, config.emergency?.callback ?? null, config.settled.callerId]
}

/** A trunk as one call writes to it. */
export interface Writing {
  config: CompiledConfig
  trunk: CompiledTrunk
  /** The domain of our addresses there. */
  domain: string
}

/**
 * Writes the caller as the trunk's rule wants: From alone, From and P-Asserted-Identity (RFC 3325), the latter or P-Preferred-Identity beside
 * our trunk user, or Remote-Party-ID. Who asks not to be shown is nowhere in it, but for the assertion that a trusted trunk is given with
 * Privacy `id`. An emergency call always shows its number.
 */
export function showCaller(on: Writing, claim: Claim): ShownCaller {
  const { trunk } = on
  const ours = numberToShow(on.config, trunk, claim)
  const original = claim.emergency !== true && showsOriginal(trunk, claim)
  if (claim.emergency !== true && (claim.withheld === true || (original && claim.from.number === ''))) return withhold(on, ours)
  const shown = original && /^\+[1-9]\d{2,14}$/.test(claim.from.number) ? claim.from.number : ours
  const way = ways[trunk.callerId.rule]
  const fromUser = way.from === 'account' && trunk.username !== null && !(original && way.header === 'P-Preferred-Identity')
  const from = fromUser ? addressOf(on, trunk.username) : addressIn(on, shown)
  // Where From is the caller's, the header is ours to assert; where From is the account, the header is the only place for the caller.
  const asserted = way.names === 'ours' ? ours : shown
  return { from: from ?? ANONYMOUS, headers: identity(way.header, addressIn(on, asserted), 'off'), number: asserted }
}

/** What each rule puts where. */
const ways = {
  asserted: { from: 'caller', header: 'P-Asserted-Identity', names: 'ours' },
  from: { from: 'caller', header: null, names: 'caller' },
  pai: { from: 'account', header: 'P-Asserted-Identity', names: 'caller' },
  ppi: { from: 'account', header: 'P-Preferred-Identity', names: 'ours' },
  rpid: { from: 'account', header: 'Remote-Party-ID', names: 'caller' },
} as const

/** A call from outside shows its own caller where the trunk wants that, unless a flow says whom to show. */
function showsOriginal(trunk: CompiledTrunk, claim: Claim): boolean {
  return claim.forwarded !== undefined && (claim.show ?? 'company') === 'company' && trunk.callerId.forwarded === 'original'
}

/** RFC 3323 §4.1, RFC 3325 §7: anonymous everywhere, asserted only within the trust domain. */
function withhold(on: Writing, number: string | null): ShownCaller {
  const { rule, trusted } = on.trunk.callerId
  const { username } = on.trunk
  const privacy = ['Privacy', 'id'] as const
  const way = ways[rule]
  // Carriers that know their customers by From know this one by its user, unless that is a number.
  const account = username !== null && way.from === 'account' && !isNumber(username)
  const from = account ? addressOf(on, username) : ANONYMOUS
  if (!trusted || number === null || way.header === null) return { from, headers: [privacy], number: null }
  return { from, headers: [...identity(way.header, addressIn(on, number), 'full'), privacy], number }
}

/** Headers that say a call to `to` was meant for us first, as the trunk wants them; a number that may not be shown there is in none. */
export function showDiversion(on: Writing, to: string, diverted: Diverted | undefined): (readonly [string, string])[] {
  const { trunk, domain: host } = on
  if (diverted === undefined || trunk.diversion === 'none' || !trunk.callerId.allowed.has(diverted.by)) return []
  const user = writtenUser(on, diverted.by)
  const headers: (readonly [string, string])[] = []
  if (trunk.diversion !== 'history-info') headers.push(['Diversion', formatDiversion(`sip:${user}@${host}`, diverted.reason)])
  if (trunk.diversion !== 'diversion')
    for (const entry of formatHistory({ user, host }, { user: to, host }, diverted.reason)) headers.push(['History-Info', entry])
  return headers
}

function identity(name: string | null, address: string | null, privacy: 'off' | 'full'): (readonly [string, string])[] {
  if (name === null || address === null) return []
  return [[name, name === 'Remote-Party-ID' ? `${address};party=calling;screen=yes;privacy=${privacy}` : address]]
}

function writtenUser(on: Writing, number: string): string {
  return writeFor(on.trunk.numberFormat.caller, { e164: number, digits: number }, on.config.company.country)
}

function addressIn(on: Writing, number: string | null): string | null {
  return number === null ? null : addressOf(on, writtenUser(on, number))
}

function addressOf({ trunk, domain }: Writing, user: string): string {
  return `<sip:${user}@${domain}${trunk.userPhone && isNumber(user) ? ';user=phone' : ''}>`
}

function isNumber(user: string): boolean {
  return /^\+?[0-9*#]+$/.test(user)
}
