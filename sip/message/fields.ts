import { firstBlank, isBlank, isToken, parseUint, trimmed, unquoted } from '#sip/message/grammar.ts'
import { MAX_UINT32 } from '#sip/message/limits.ts'
import { methodIn } from '#sip/message/method.ts'
import { NO_PARAMS, type Params, parseParams } from '#sip/message/params.ts'

/** Small header values. Every parser here is linear and gives undefined for what it cannot read. */

/** `CSeq: 4711 INVITE`. */
export interface CSeq {
  /** 0 to 2^32 - 1 (RFC 3261 §20.16). */
  readonly seq: number
  readonly method: string
}

/** `Content-Type`, or one element of Accept. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly type: string
  readonly params: Params
}

/** One Reason value (RFC 3326). */
export interface ReasonValue {
  /** Upper case: SIP, Q.850, ... */
  readonly protocol: string
  readonly cause: number | undefined
  readonly text: string | undefined
}

/** `Event` (RFC 6665 §8.2.1). */
export interface EventPackage {
  /** Lower case, with template packages: `presence.winfo`. */
  readonly name: string
  readonly id: string | undefined
  readonly params: Params
}

export function parseCSeq(text: string): CSeq | undefined {
  const blank = firstBlank(text)
  if (blank === text.length) return undefined
  const seq = parseUint(text.slice(0, blank), MAX_UINT32)
  let start = blank
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  const method = methodIn(text, start, end)
  return seq === undefined || method === undefined ? undefined : { seq, method }
}

export function parseMediaType(text: string): MediaType | undefined {
  if (text === SDP.type) return SDP
  const [type, params] = headAndParams(text)
  const slash = type.indexOf('/')
  if (params === undefined || slash < 0 || !isToken(trimmed(type, 0, slash)) || !isToken(trimmed(type, slash + 1))) return undefined
  return { type: type.replace(/[ \t]/g, '').toLowerCase(), params }
}

/** What nearly every body is. */
const SDP: MediaType = { type: 'application/sdp', params: NO_PARAMS }

export function parseReason(text: string): ReasonValue | undefined {
  const [protocol, params] = headAndParams(text)
  if (params === undefined || !isToken(protocol)) return undefined
  const note = params.get('text')
  return {
    protocol: protocol.toUpperCase(),
    cause: parseUint(params.get('cause') ?? '', MAX_UINT32),
    text: note === undefined ? undefined : unquoted(note),
  }
}

export function parseEvent(text: string): EventPackage | undefined {
  const [name, params] = headAndParams(text)
  return params === undefined || !isToken(name) ? undefined : { name: name.toLowerCase(), id: params.get('id'), params }
}

/** Seconds of `Retry-After: 18000;duration=3600 (a comment)`. */
export function parseRetryAfter(text: string): number | undefined {
  const end = text.search(/[^0-9]/)
  return parseUint(end < 0 ? text : text.slice(0, end), MAX_UINT32)
}

/**
 * Seconds of a Contact's `expires` parameter. Absent gives undefined. RFC 3261 §20.10 lets a malformed value count as 3600; a value above
 * 2^32 - 1 counts as that.
 */
export function contactExpires(params: Params): number | undefined {
  const text = params.get('expires')
  if (text === undefined) return undefined
  return parseUint(text, MAX_UINT32) ?? (/^[0-9]+$/.test(text) ? MAX_UINT32 : 3600)
}

/** A Contact's `q` in thousandths, 0 to 1000; absent or malformed gives 1000. */
export function contactQ(params: Params): number {
  const text = params.get('q')
  if (text === undefined) return 1000
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Math.round(Number(text) * 1000) : 1000
}

function headAndParams(text: string): [head: string, params: Params | undefined] {
  const semicolon = text.indexOf(';')
  const end = semicolon < 0 ? text.length : semicolon
  return [trimmed(text, 0, end), parseParams(text, end)]
}
