import { isToken, parseUint } from '#sip/message/grammar.ts'
import { type Head, plainEnd, readHead, readPlainHead } from '#sip/message/head.ts'
import * as names from '#sip/message/header-names.ts'
import { SipHeaders } from '#sip/message/headers.ts'
import { MAX_HEAD_BYTES, MAX_ID_LENGTH, MAX_UINT32 } from '#sip/message/limits.ts'
import type { Malformed, MalformedRule } from '#sip/message/malformed.ts'
import { methodIn } from '#sip/message/method.ts'
import { NO_BODY, type SipRequest, type SipResponse } from '#sip/message/message.ts'
import { textBytes } from '#sip/message/text.ts'
import { parseUri } from '#sip/message/uri.ts'

/**
 * One message from one datagram or WebSocket frame, or from the bytes that `StreamFramer` cut out. Total: any bytes give a message or a
 * named refusal, in linear time. Bytes behind the body are ignored (RFC 3261 §18.3). The body is a view of `bytes`; a caller that reuses
 * its buffer copies first.
 *
 * A message that comes back is complete: Via, From, To, Call-ID and CSeq stand there once and well formed, as do Contact, Route,
 * Record-Route, Max-Forwards, Expires and Content-Type if they stand there at all.
 */
export function parseMessage(bytes: Uint8Array): SipRequest | SipResponse | Malformed {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = afterLineBreaks(buffer)
  if (start === buffer.length) return { ...UNREADABLE, rule: 'empty', offset: 0 }
  const plain = plainEnd(buffer, start)
  if (plain > start && plain < buffer.length && plain - start - 2 <= MAX_HEAD_BYTES) {
    // What nearly every message is: a plain head, an empty line, a body or none.
    const head = readPlainHead(buffer, start, plain)
    const context = { head, start, rest: plain + 2 === buffer.length ? NO_REST : buffer.subarray(plain + 2) }
    return isStatusLine(head.startLine) ? parseResponse(context) : parseRequest(context)
  }
  const blank = buffer.indexOf('\r\n\r\n', start, 'latin1')
  const end = blank < 0 ? buffer.lastIndexOf('\r\n') : blank
  if (end <= start) return { ...UNREADABLE, rule: 'head-not-ended', offset: buffer.length }
  if (end - start > MAX_HEAD_BYTES) return tooLong(buffer.subarray(start, start + MAX_HEAD_BYTES))
  const head = readHead(buffer.subarray(start, end + 2))
  const context: Context = { head, start, rest: buffer.subarray(Math.min(end + 4, buffer.length)) }
  if (blank < 0) return refuse(context, 'head-not-ended', head.text.length)
  return isStatusLine(head.startLine) ? parseResponse(context) : parseRequest(context)
}

interface Context {
  readonly head: Head
  /** Bytes before the head. */
  readonly start: number
  /** Bytes behind the head. */
  readonly rest: Buffer
}

const NO_REST = Buffer.alloc(0)
const UNREADABLE = { kind: 'malformed', status: 400, method: null, headers: SipHeaders.adopt([], []) } as const

function parseRequest(context: Context): SipRequest | Malformed {
  const { head } = context
  const line = head.startLine
  const first = line.indexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const method = methodIn(line, 0, Math.max(first, 0))
  const version = line.slice(second + 1)
  if (second < 0 || second === first + 1 || method === undefined || version.includes(' ')) return refuse(context, 'start-line', 0)
  if (version !== 'SIP/2.0' && version.toUpperCase() !== 'SIP/2.0') {
    return refuse(context, /^SIP\/[0-9]+\.[0-9]+$/i.test(version) ? 'version' : 'start-line', second + 1)
  }
  const uri = line.slice(first + 1, second)
  if (!isRequestUri(uri)) return refuse(context, 'request-uri', first + 1)
  const rule = brokenRule(head.headers, method)
  if (head.problem !== null || rule !== null) return refuse(context, rule)
  const body = bodyOf(context)
  return body === null ? refuse(context, 'content-length') : { kind: 'request', method, uri, headers: head.headers, body }
}

/** The same as before most often: all phones of a company register under one. */
function isRequestUri(text: string): boolean {
  if (text === latestUri) return true
  const uri = parseUri(text)
  if (uri === undefined || (uri.kind === 'sip' && uri.headers.length > 0)) return false
  latestUri = text
  return true
}
/** The last one that was found good. Holds on to its message: of one at a time. */
let latestUri: string | null = null

function parseResponse(context: Context): SipResponse | Malformed {
  const { head } = context
  const line = head.startLine
  const space = line.indexOf(' ', 8)
  const code = line.slice(8, space < 0 ? line.length : space)
  const status = code.length === 3 ? parseUint(code, 699) : undefined
  if (!line.startsWith(OURS) && !/^SIP\/2\.0 /i.test(line)) return refuse(context, 'version', 0)
  if (status === undefined || status < 100) return refuse(context, 'status-code', 8)
  const rule = brokenRule(head.headers, null)
  if (head.problem !== null || rule !== null) return refuse(context, rule)
  const body = bodyOf(context)
  const reason = space < 0 ? '' : line.slice(space + 1)
  return body === null ? refuse(context, 'content-length') : { kind: 'response', status, reason, headers: head.headers, body }
}

/** The first rule that the headers break. `method` is the request's, null for a response. */
function brokenRule(headers: SipHeaders, method: string | null): MalformedRule | null {
  return brokenMandatory(headers) ?? brokenCSeq(headers, method) ?? brokenAddresses(headers) ?? brokenScalar(headers)
}

function brokenMandatory(headers: SipHeaders): MalformedRule | null {
  const { viaOrNull: via, fromOrNull: from, toOrNull: to } = headers
  if (via === null || isTooLong(via.branch)) return headers.has('via') ? 'via' : 'missing'
  if (from === null || isTooLong(from.tag)) return headers.has('from') ? 'from' : 'missing'
  if (to === null || isTooLong(to.tag)) return headers.has('to') ? 'to' : 'missing'
  const callId = headers.get('call-id')
  if (callId === undefined) return 'missing'
  return callId === '' || isTooLong(callId) || callId.includes(' ') || callId.includes('\t') ? 'call-id' : null
}

function isTooLong(id: string | undefined): boolean {
  return id !== undefined && id.length > MAX_ID_LENGTH
}

function brokenCSeq(headers: SipHeaders, method: string | null): MalformedRule | null {
  const cseq = headers.cseqOrNull
  if (cseq === null) return headers.has('cseq') ? 'cseq' : 'missing'
  return method !== null && cseq.method !== method ? 'cseq-method' : null
}

function brokenAddresses(headers: SipHeaders): MalformedRule | null {
  if (headers.contactsOrNull === null) return 'contact'
  if (headers.routesOrNull === null) return 'route'
  return headers.recordRoutesOrNull === null ? 'record-route' : null
}

function brokenScalar(headers: SipHeaders): MalformedRule | null {
  const maxForwards = headers.maxForwards
  if (maxForwards === undefined && headers.has('max-forwards')) return 'max-forwards'
  if (headers.expires === undefined && headers.has('expires')) return 'expires'
  return headers.contentType === undefined && headers.has('content-type') ? 'content-type' : null
}

/** The body by Content-Length; without one all that came (RFC 3261 §18.3). Null when Content-Length is no number or more than came. */
function bodyOf({ head, rest }: Context): Uint8Array | null {
  const text = head.headers.get('content-length')
  if (text === undefined) return rest.length === 0 ? NO_BODY : rest
  const length = parseUint(text, MAX_UINT32)
  if (length === undefined || length > rest.length) return null
  return length === 0 ? NO_BODY : rest.subarray(0, length)
}

/** A refusal by `rule`, or by what the head's reader found, if that was earlier in the message's own order: lines before their meaning. */
function refuse(context: Context, rule: MalformedRule | null, at?: number): Malformed {
  const { head, start } = context
  const broken = rule === null || (at === undefined && head.problem !== null) ? head.problem : { rule, at: at ?? offsetOf(head, rule) }
  const method = head.startLine.slice(0, Math.max(head.startLine.indexOf(' '), 0))
  return {
    kind: 'malformed',
    rule: broken?.rule ?? 'start-line',
    offset: start + textBytes(head.text.slice(0, broken?.at ?? 0)),
    status: broken?.rule === 'version' ? 505 : broken?.rule === 'too-many-headers' ? 513 : 400,
    method: isToken(method) ? method : null,
    headers: head.headers,
  }
}

/** Where the header of a rule first stands. */
function offsetOf(head: Head, rule: MalformedRule): number {
  const name = rule === 'cseq-method' ? names.CSEQ.key : rule
  const lines = head.text.split('\r\n')
  let at = 0
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (at > 0 && colon > 0 && names.headerName(line.slice(0, colon))?.key === name) return at
    at += line.length + 2
  }
  return 0
}

function tooLong(bytes: Buffer): Malformed {
  const end = bytes.lastIndexOf('\r\n')
  if (end < 0) return { ...UNREADABLE, status: 513, rule: 'head-too-long', offset: bytes.length }
  const head = readHead(bytes.subarray(0, end + 2))
  return { ...refuse({ head, start: 0, rest: bytes }, 'head-too-long', head.text.length), status: 513 }
}

/** `SIP/2.0 200`: a method cannot hold a slash, so nothing else starts so. */
function isStatusLine(line: string): boolean {
  return line.startsWith('SIP/') && (line.startsWith(OURS) || /^SIP\/[0-9]+\.[0-9]+ /i.test(line))
}
/** What nearly every status line begins with: it needs no closer look. */
const OURS = 'SIP/2.0 '

/** RFC 3261 §7.5: line breaks before the start line are ignored. */
function afterLineBreaks(bytes: Buffer): number {
  let at = 0
  while (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) at += 2
  return at
}
