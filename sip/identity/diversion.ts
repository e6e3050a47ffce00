import { userOfAddress } from '#sip/identity/caller.ts'
import { historyOf } from '#sip/identity/history-info.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import { formatNameAddr, type NameAddr } from '#sip/message/name-addr.ts'

/** Why a call went on to somebody else (RFC 5806 §4.3). */
export type DiversionReason = (typeof reasons)[number]

/** One time that a call went on to somebody else. */
export interface Diversion {
  /** Whom it had been meant for: the user part of their address, as on the wire. */
  readonly user: string
  readonly reason: DiversionReason
  /** Must not be shown. */
  readonly hidden: boolean
}

const reasons = [
  'unknown',
  'user-busy',
  'no-answer',
  'unavailable',
  'unconditional',
  'time-of-day',
  'do-not-disturb',
  'deflection',
  'follow-me',
  'out-of-service',
  'away',
] as const

/** What is read of one request; a call that went round longer says no more by it. */
const MOST = 10

/**
 * How a call came to us, the latest diversion first: by Diversion (RFC 5806), or where there is none by History-Info (RFC 7044). The last
 * element is whom the caller dialled. Malformed headers say nothing.
 */
export function diversionsOf(headers: SipHeaders): readonly Diversion[] {
  const diverted = headers.addresses('Diversion')
  const found = diverted.length > 0 ? diverted.flatMap(readDiversion) : historyOf(headers)
  return found.slice(0, MOST)
}

/** One value of a Diversion header. `uri`: whom the call had been meant for. */
export function formatDiversion(uri: string, reason: DiversionReason): string {
  const params = new Map([
    ['reason', reason],
    ['counter', '1'],
    ['privacy', 'off'],
  ])
  return formatNameAddr({ uri, params })
}

function readDiversion(address: NameAddr): Diversion | [] {
  const user = userOfAddress(address)
  if (user === null || user === '') return []
  const said = plain(address, 'reason')
  return {
    user,
    reason: reasons.find((reason) => reason === said) ?? 'unknown',
    hidden: ['full', 'uri'].includes(plain(address, 'privacy')) || /^anonymous$/i.test(user),
  }
}

function plain(address: NameAddr, param: string): string {
  return (address.params.get(param) ?? '').replaceAll('"', '').toLowerCase()
}
