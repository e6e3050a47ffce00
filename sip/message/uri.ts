import { classOf, consistsOf } from '#sip/message/grammar.ts'
import { formatHostPort, parseHostPort } from '#sip/message/host.ts'
import { escaped, normalisedEscapes, unescaped } from '#sip/message/escape.ts'
import { formatParams, NO_PARAMS, type Params, parseParams } from '#sip/message/params.ts'

/** A sip: or sips: URI (RFC 3261 §19.1). */
export interface SipUri {
  readonly kind: 'sip'
  /** `sips:`. */
  readonly secure: boolean
  /** Escapes undone; null when the URI has no user part. May hold any character. */
  readonly user: string | null
  /** User part as on the wire, escapes normalised: what comparison and formatting use. */
  readonly escapedUser: string | null
  /** As on the wire; never use it for authentication (RFC 3261 §19.1.1). */
  readonly password: string | null
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number | undefined
  /** As on the wire, except that names are in lower case. */
  readonly params: Params
  /** Name and value of each `?` header, escapes undone. Not permitted in a Request-URI. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** A tel: URI (RFC 3966). */
export interface TelUri {
  readonly kind: 'tel'
  /** Without visual separators, `+` kept when global. */
  readonly number: string
  readonly global: boolean
  readonly params: Params
}

/** Any other absolute URI. */
export interface OtherUri {
  readonly kind: 'other'
  /** Lower case. */
  readonly scheme: string
  readonly text: string
}

export type Uri = SipUri | TelUri | OtherUri

/** Parses a URI of any scheme; undefined when it breaks its scheme's grammar. Linear, never throws. */
export function parseUri(text: string): Uri | undefined {
  const scheme = schemeOf(text)
  if (scheme === '') return undefined
  const colon = scheme.length
  if (scheme === 'sip' || scheme === 'sips') return parseSip(text, colon + 1, scheme === 'sips')
  if (scheme === 'tel') return parseTel(text.slice(colon + 1))
  if (!isScheme(scheme) || colon + 1 === text.length || !isVisible(text)) return undefined
  return { kind: 'other', scheme, text }
}

/** What stands before the colon, in lower case; '' where nothing does. */
export function schemeOf(text: string): string {
  // What nearly every URI begins with.
  if (text.startsWith('sip:')) return 'sip'
  return text.slice(0, Math.max(text.indexOf(':'), 0)).toLowerCase()
}

/** Parses `text` if it is a sip: or sips: URI, else undefined. */
export function parseSipUri(text: string): SipUri | undefined {
  const uri = parseUri(text)
  return uri?.kind === 'sip' ? uri : undefined
}

/** The wire form. Escapes what the grammar wants escaped, so that no part can spill into the next. */
export function formatUri(uri: Uri): string {
  switch (uri.kind) {
    case 'sip':
      return formatSip(uri)
    case 'tel':
      return `tel:${uri.number}${formatParams(uri.params)}`
    case 'other':
      return uri.text
  }
}

/** A sip: URI from its parts; `user` is escaped as needed. */
export function sipUri(parts: {
  user?: string | null
  host: string
  port?: number | undefined
  params?: Params
  secure?: boolean
}): SipUri {
  const user = parts.user ?? null
  return {
    kind: 'sip',
    secure: parts.secure ?? false,
    user,
    escapedUser: user === null ? null : escaped(user, USER),
    password: null,
    host: parts.host.toLowerCase(),
    port: parts.port,
    params: parts.params ?? NO_PARAMS,
    headers: [],
  }
}

/** `mark` and `user-unreserved` of RFC 3261 §25.1 with letters and digits. */
const UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()"
const USER = classOf(`${UNRESERVED}&=+$,;?/`)
const PASSWORD = classOf(`${UNRESERVED}&=+$,%`)
const PARAM = classOf(`${UNRESERVED}[]/:&+$%;=`)
const HEADER = classOf(`${UNRESERVED}[]/?:+$`)
const HEADERS = classOf(`${UNRESERVED}[]/?:+$%&=`)
const SCHEME = classOf('abcdefghijklmnopqrstuvwxyz0123456789+-.')
const PHONE = classOf('0123456789abcdefABCDEF*#-.()')
const TEL_PARAM = classOf(`${UNRESERVED}[]/:&+$%;=`)

function parseSip(text: string, start: number, secure: boolean): SipUri | undefined {
  // No part behind the user may hold an @, so the first one ends the user, whatever stands in it.
  const at = text.indexOf('@', start)
  if (at < 0) return withHostPart(text, start, { secure, user: null, escapedUser: null, password: null })
  const colon = text.indexOf(':', start)
  const userEnd = colon >= 0 && colon < at ? colon : at
  const password = userEnd === at ? null : text.slice(userEnd + 1, at)
  if (password !== null && !(consistsOf(password, PASSWORD) && normalisedEscapes(password) !== undefined)) return undefined
  const raw = text.slice(start, userEnd)
  const plain = consistsOf(raw, USER)
  const escapedUser = plain ? raw : normalisedUser(raw)
  if (escapedUser === undefined || escapedUser === '') return undefined
  return withHostPart(text, at + 1, { secure, user: plain ? raw : unescaped(raw), escapedUser, password })
}

/** `host:port;params?headers` from `start` to the end. */
function withHostPart(
  text: string,
  start: number,
  { secure, user, escapedUser, password }: Pick<SipUri, 'secure' | 'user' | 'escapedUser' | 'password'>,
): SipUri | undefined {
  const question = text.indexOf('?', start)
  const end = question < 0 ? text.length : question
  const semicolon = text.indexOf(';', start)
  const hostEnd = semicolon < 0 || semicolon > end ? end : semicolon
  const where = parseHostPort(text.slice(start, hostEnd))
  if (where === undefined) return undefined
  const params = hostEnd === end ? NO_PARAMS : parseUriParams(text.slice(hostEnd, end), PARAM)
  const headers = question < 0 ? NO_HEADERS : parseUriHeaders(text.slice(question + 1))
  if (params === undefined || headers === undefined) return undefined
  return { kind: 'sip', secure, user, escapedUser, password, host: where.host, port: where.port, params, headers }
}
const NO_HEADERS: SipUri['headers'] = []

/** Escapes of the user part brought to one form. `#`, `^` and UTF-8 letters, which some phones leave unescaped, are escaped here. */
function normalisedUser(raw: string): string | undefined {
  if (!isVisible(raw) || raw.includes('[')) return undefined
  const normal = normalisedEscapes(raw)
  return normal === undefined ? undefined : escaped(normal, USER_OR_ESCAPE)
}
const USER_OR_ESCAPE = classOf(`${UNRESERVED}&=+$,;?/%`)

function parseUriParams(text: string, allowed: Uint8Array): Params | undefined {
  return consistsOf(text, allowed) && normalisedEscapes(text) !== undefined ? parseParams(text, 0) : undefined
}

function parseUriHeaders(text: string): SipUri['headers'] | undefined {
  if (!consistsOf(text, HEADERS) || normalisedEscapes(text) === undefined) return undefined
  const headers: (readonly [string, string])[] = []
  for (const part of text.split('&')) {
    const equals = part.indexOf('=')
    if (equals < 1) return undefined
    headers.push([unescaped(part.slice(0, equals)), unescaped(part.slice(equals + 1))])
  }
  return headers
}

function parseTel(text: string): TelUri | undefined {
  const semicolon = text.indexOf(';')
  const digits = semicolon < 0 ? text : text.slice(0, semicolon)
  const global = digits.charCodeAt(0) === 0x2b
  const body = global ? digits.slice(1) : digits
  if (!consistsOf(body, PHONE)) return undefined
  const number = body.replace(/[-.()]/g, '')
  if (number === '' || (global && !/^[0-9]+$/.test(number))) return undefined
  const params = semicolon < 0 ? NO_PARAMS : parseUriParams(text.slice(semicolon), TEL_PARAM)
  return params === undefined ? undefined : { kind: 'tel', number: global ? `+${number}` : number, global, params }
}

function formatSip(uri: SipUri): string {
  let text = uri.secure ? 'sips:' : 'sip:'
  if (uri.escapedUser !== null) text += uri.password === null ? `${uri.escapedUser}@` : `${uri.escapedUser}:${uri.password}@`
  text += formatHostPort(uri.host, uri.port) + formatParams(uri.params)
  if (uri.headers.length === 0) return text
  return `${text}?${uri.headers.map(([name, value]) => `${escaped(name, HEADER)}=${escaped(value, HEADER)}`).join('&')}`
}

function isScheme(text: string): boolean {
  const first = text.charCodeAt(0)
  return first >= 0x61 && first <= 0x7a && consistsOf(text, SCHEME)
}

/** No blanks, control characters, quotes or angle brackets. */
function isVisible(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code === 0x7f || code === 0x3c || code === 0x3e || code === 0x22) return false
  }
  return true
}
