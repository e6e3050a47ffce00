import { buildResponse } from '#sip/message/build.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import type { SipResponse } from '#sip/message/message.ts'

/** What a message broke: the name under which it is counted, and what is expected there. */
export const RULES = {
  empty: 'a start line',
  'head-too-long': 'fewer or shorter header lines',
  'body-too-long': 'a shorter body',
  'head-not-ended': 'an empty line behind the headers',
  'line-break': 'line ends of CR LF, and no CR or LF elsewhere',
  'control-character': 'no control characters outside quoted pairs',
  'start-line': 'METHOD SP Request-URI SP SIP/2.0, or SIP/2.0 SP status SP reason',
  version: 'SIP/2.0',
  'status-code': 'a status from 100 to 699',
  'request-uri': 'a valid Request-URI without headers',
  'header-line': 'name: value',
  'too-many-headers': 'fewer header lines',
  duplicate: 'this header once',
  missing: 'From, To, Call-ID, CSeq and Via',
  via: 'SIP/2.0/transport host[:port];params',
  from: 'an address',
  to: 'an address',
  'call-id': 'one word',
  cseq: 'a number below 2^32 and the method',
  'cseq-method': 'the method of the start line in CSeq',
  contact: 'addresses, or * alone',
  route: 'addresses',
  'record-route': 'addresses',
  'max-forwards': 'a number from 0 to 255',
  expires: 'seconds',
  'content-type': 'type/subtype',
  'content-length': 'one number, not above the bytes that came',
} as const

export type MalformedRule = keyof typeof RULES

/** Bytes that are no message, and how to refuse them. A value, never thrown. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly rule: MalformedRule
  /** Where the trouble starts, bytes from the start of the message. */
  readonly offset: number
  /** The answer's status: 400, 505 or 513. */
  readonly status: number
  /** Method of the refused request as far as it could be read; null when it was a response or nothing known. */
  readonly method: string | null
  /** The header lines that could be read. Nothing else about them is promised. */
  readonly headers: SipHeaders
}

/**
 * The answer to a malformed request (RFC 4475 §3.1.2), to be sent to the source address without a transaction. Null when nothing may be
 * sent: responses, ACK, and what names neither method nor Via. The reason phrase names the rule, so that the peer's log tells why.
 */
export function answerMalformed(malformed: Malformed, toTag: string): SipResponse | null {
  const { method, headers, rule, status } = malformed
  if (method === null || method === 'ACK' || !headers.has('via')) return null
  return buildResponse({ headers }, status, `${PHRASE[status] ?? 'Bad Request'} (${rule})`, { toTag })
}

const PHRASE: Record<number, string> = { 400: 'Bad Request', 505: 'Version Not Supported', 513: 'Message Too Large' }
