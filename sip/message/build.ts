import { isBlank, isToken } from '#sip/message/grammar.ts'
import { CALL_ID, CSEQ, FROM, type HeaderName, RECORD_ROUTE, TO, VIA } from '#sip/message/header-names.ts'
import { type HeaderLines, SipHeaders } from '#sip/message/headers.ts'
import { NO_BODY, type SipRequest, type SipResponse } from '#sip/message/message.ts'
import { reasonPhrase } from '#sip/message/reasons.ts'

export interface RequestParts {
  method: string
  uri: string
  /** In wire order. Content-Length is written by `serialize`, never here. */
  headers: HeaderLines | SipHeaders
  body?: Uint8Array | undefined
}

export interface ResponseParts {
  /** Put into To when the request's To has none and the status is above 100 (RFC 3261 §8.2.6.2). */
  toTag?: string | undefined
  /** Added behind the copied ones: Contact, Allow, Content-Type, WWW-Authenticate, ... */
  headers?: HeaderLines | undefined
  body?: Uint8Array | undefined
}

/** A request to send. Throws when method or URI could break the start line: only a bug can bring such. */
export function buildRequest(parts: RequestParts): SipRequest {
  if (!isToken(parts.method) || !isOneWord(parts.uri))
    throw new TypeError(`not a request line: ${JSON.stringify([parts.method, parts.uri])}`)
  const headers = parts.headers instanceof SipHeaders ? parts.headers : SipHeaders.of(parts.headers)
  return { kind: 'request', method: parts.method, uri: parts.uri, headers, body: parts.body ?? NO_BODY }
}

/**
 * The response to `request` (RFC 3261 §8.2.6.2): all Vias, From, To, Call-ID, CSeq copied as they came, Timestamp into a 100, Record-Route
 * into 101 to 299 (§12.1.1).
 */
export function buildResponse(
  request: Pick<SipRequest, 'headers'>,
  status: number,
  reason?: string,
  parts: ResponseParts = {},
): SipResponse {
  const from = request.headers
  const names: HeaderName[] = []
  const values: string[] = []
  for (let i = 0; i < from.count; i++) {
    const name = from.nameAt(i)
    const value = from.valueAt(i)
    if (name === undefined || value === undefined || !isCopied(name, status)) continue
    names.push(name)
    values.push(name === TO && status > 100 && parts.toTag !== undefined ? withTag(from, value, parts.toTag) : value)
  }
  const headers = SipHeaders.adopt(names, values)
  if (parts.headers !== undefined) headers.addAll(parts.headers)
  return { kind: 'response', status, reason: reason ?? reasonPhrase(status), headers, body: parts.body ?? NO_BODY }
}

function isCopied(name: HeaderName, status: number): boolean {
  if (name === VIA || name === FROM || name === TO || name === CALL_ID || name === CSEQ) return true
  return name === RECORD_ROUTE ? status > 100 && status < 300 : status === 100 && name.key === 'timestamp'
}

/** A To that cannot be parsed is sent back as it came: the answer refuses it anyway. */
function withTag(headers: SipHeaders, value: string, tag: string): string {
  const to = headers.toOrNull
  return to === null || to.tag !== undefined ? value : `${value};tag=${tag}`
}

function isOneWord(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isBlank(text.charCodeAt(i)) || text[i] === '\r' || text[i] === '\n') return false
  return text.length > 0
}
