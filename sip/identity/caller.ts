import { hidesCaller, privacyOf } from '#sip/identity/privacy.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'

/** Where a caller may be named: P-Asserted-Identity and P-Preferred-Identity (RFC 3325 §9.1, §9.2), Remote-Party-ID (the draft before it), From. */
export type CallerSource = 'pai' | 'ppi' | 'rpid' | 'from'

/** Who a request says is calling. */
export interface ClaimedCaller {
  readonly source: CallerSource
  readonly address: NameAddr
  /** The caller asks not to be shown: by Privacy, by an anonymous From, or in Remote-Party-ID itself. */
  readonly hidden: boolean
}

/**
 * The first of `order` that the request names; From when it names none of them. Reads only what it is told to: whether a peer may assert
 * anything is the owner's to know.
 */
export function readCaller(headers: SipHeaders, order: readonly CallerSource[]): ClaimedCaller {
  const hidden = hidesCaller(privacyOf(headers)) || isAnonymous(headers.from)
  for (const source of order) {
    const address = source === 'from' ? headers.from : pick(headers.addresses(headerOf[source]), source)
    if (address === undefined) continue
    return { source, address, hidden: hidden || (source === 'rpid' && isWithheld(address)) || isAnonymous(address) }
  }
  return { source: 'from', address: headers.from, hidden }
}

/** The user part of a sip: URI or the number of a tel: URI; null for anything else. */
export function userOfAddress(address: NameAddr): string | null {
  const uri = address.parsed
  if (uri.kind === 'sip') return uri.user
  return uri.kind === 'tel' ? uri.number : null
}

const headerOf = { pai: 'P-Asserted-Identity', ppi: 'P-Preferred-Identity', rpid: 'Remote-Party-ID' } as const

/** Of a sip: and a tel: identity (RFC 3325 §9.1 allows both) the first that is a number. */
function pick(addresses: readonly NameAddr[], source: CallerSource): NameAddr | undefined {
  const own = source === 'rpid' ? addresses.filter((each) => (each.params.get('party') ?? 'calling') === 'calling') : addresses
  return own.find((each) => /^\+?\d{2,}$/.test(userOfAddress(each) ?? '')) ?? own[0]
}

function isWithheld(address: NameAddr): boolean {
  return /^"?(full|uri)"?$/i.test(address.params.get('privacy') ?? '')
}

/** Names that networks put in the place of a number they do not show. */
const NAMELESS = /^(anonymous|restricted|private|withheld)$/i

function isAnonymous(address: NameAddr): boolean {
  const uri = address.parsed
  return NAMELESS.test(userOfAddress(address) ?? '') || (uri.kind === 'sip' && uri.host === 'anonymous.invalid')
}
