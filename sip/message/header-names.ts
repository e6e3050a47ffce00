import { isToken, trimmed } from '#sip/message/grammar.ts'

/** How a header field is called and what its grammar is. Known headers are one object each, so that they compare by identity. */
export interface HeaderName {
  /** Lower case, long form. */
  readonly key: string
  /** As we write it. */
  readonly wire: string
  /** What a line of it begins with, the line break before included: ready, since each message is put together of dozens. */
  readonly lead: string
  /** Several values may stand in one line, separated by commas. */
  readonly list: boolean
  /**
   * 0 or above for a header that may stand at most once (RFC 3261 §7.3.1): its place in a bit set of those seen. A second one makes the
   * message malformed. -1 for others.
   */
  readonly single: number
  /** One of the lists below: no other object has its key. */
  readonly isKnown: boolean
}

/** Compact forms (RFC 3261 §7.3.3, RFC 3265, 3515, 3892, 3841, 4028, 8224). */
const COMPACT: Record<string, string> = {
  'Accept-Contact': 'a',
  'Referred-By': 'b',
  'Content-Type': 'c',
  'Request-Disposition': 'd',
  'Content-Encoding': 'e',
  From: 'f',
  'Call-ID': 'i',
  'Reject-Contact': 'j',
  Supported: 'k',
  'Content-Length': 'l',
  Contact: 'm',
  Event: 'o',
  'Refer-To': 'r',
  Subject: 's',
  To: 't',
  'Allow-Events': 'u',
  Via: 'v',
  'Session-Expires': 'x',
  Identity: 'y',
}

const SINGLE =
  'From,To,Call-ID,CSeq,Max-Forwards,Max-Breadth,Content-Length,Content-Type,Content-Disposition,Expires,Min-Expires,Event,Subscription-State,' +
  'Refer-To,Referred-By,Replaces,Session-Expires,Min-SE,Date,MIME-Version,Organization,Priority,Reply-To,Retry-After,Server,Subject,' +
  'Timestamp,User-Agent,SIP-ETag,SIP-If-Match,RSeq,RAck,Target-Dialog,Join,Answer-Mode'

const LISTS =
  'Via,Route,Record-Route,Contact,Allow,Supported,Require,Proxy-Require,Unsupported,Accept,Accept-Encoding,Accept-Language,Accept-Contact,' +
  'Reject-Contact,Request-Disposition,Alert-Info,Allow-Events,Call-Info,Content-Encoding,Content-Language,Diversion,Error-Info,Geolocation,' +
  'History-Info,In-Reply-To,P-Asserted-Identity,P-Preferred-Identity,Path,Reason,Recv-Info,Security-Client,Security-Server,Security-Verify,' +
  'Service-Route,Warning'

/** Neither: one value per line, and more than one line is allowed. Credentials hold commas of their own. */
const PLAIN =
  'Authorization,Proxy-Authorization,WWW-Authenticate,Proxy-Authenticate,Authentication-Info,Identity,Privacy,Remote-Party-ID,Info-Package'

const bySpelling = new Map<string, HeaderName>()
/** As we write them, by their length: nearly all that comes is written so. */
const byLength: HeaderName[][] = []

function know(names: string, list: boolean, single: boolean): void {
  for (const [index, wire] of names.split(',').entries()) {
    const name: HeaderName = { key: wire.toLowerCase(), wire, lead: leadOf(wire), list, single: single ? index : -1, isKnown: true }
    const compact = COMPACT[wire]
    for (const spelling of [wire, name.key, wire.toUpperCase()]) bySpelling.set(spelling, name)
    ;(byLength[wire.length] ??= []).push(name)
    if (compact !== undefined) for (const spelling of [compact, compact.toUpperCase()]) bySpelling.set(spelling, name)
  }
}
function leadOf(wire: string): string {
  return `\r\n${wire}: `
}
know(SINGLE, false, true)
know(LISTS, true, false)
know(PLAIN, false, false)

/**
 * The header that `spelling` names: any case, compact or long, blanks behind it ignored (RFC 3261 §7.3.1 lets them stand before the
 * colon). Undefined when it is no token.
 */
export function headerName(spelling: string): HeaderName | undefined {
  return bySpelling.get(spelling) ?? uncommon(spelling)
}

/** The header named in `text` from `at` to `end`, as `headerName`. Most are found without a text of their own, which V8 would enter in its table. */
export function headerNameIn(text: string, at: number, end: number): HeaderName | undefined {
  const first = text.charCodeAt(at)
  for (const name of byLength[end - at] ?? NONE) {
    if (name.wire.charCodeAt(0) === first && isAt(text, at, name.wire)) return name
  }
  return headerName(text.slice(at, end))
}

function isAt(text: string, at: number, name: string): boolean {
  for (let i = 1; i < name.length; i++) if (text.charCodeAt(at + i) !== name.charCodeAt(i)) return false
  return true
}

const NONE: readonly HeaderName[] = []

function uncommon(spelling: string): HeaderName | undefined {
  const wire = trimmed(spelling)
  if (!isToken(wire) || !spelling.startsWith(wire)) return undefined
  const key = wire.toLowerCase()
  return bySpelling.get(key) ?? { key, wire, lead: leadOf(wire), list: false, single: -1, isKnown: false }
}

function known(spelling: string): HeaderName {
  const name = bySpelling.get(spelling)
  if (name === undefined) throw new Error(`unknown header ${spelling}`)
  return name
}

export const VIA = known('via')
export const FROM = known('from')
export const TO = known('to')
export const CALL_ID = known('call-id')
export const CSEQ = known('cseq')
export const CONTACT = known('contact')
export const ROUTE = known('route')
export const RECORD_ROUTE = known('record-route')
export const MAX_FORWARDS = known('max-forwards')
export const MAX_BREADTH = known('max-breadth')
export const CONTENT_LENGTH = known('content-length')
export const CONTENT_TYPE = known('content-type')
export const REQUIRE = known('require')
export const SUPPORTED = known('supported')
export const ALLOW = known('allow')
export const EXPIRES = known('expires')
