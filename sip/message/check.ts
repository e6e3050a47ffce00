import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { schemeOf } from '#sip/message/uri.ts'

/** What a user agent server understands. */
export interface Abilities {
  /** Methods served, ACK and CANCEL included: the Allow header. */
  readonly methods: readonly string[]
  /** Option tags in lower case that a peer may require: the Supported header. */
  readonly extensions: readonly string[]
  /** Body types taken, by method; a method without entry takes any. Lower case. The Accept header. */
  readonly accept: Readonly<Record<string, readonly string[]>>
  /** URI schemes taken in a Request-URI, lower case. */
  readonly schemes: readonly string[]
}

/** A refusal as arguments of `buildResponse`. */
export interface Refusal {
  readonly status: number
  readonly headers: HeaderLines
}

/**
 * Inspects a well-formed request the way RFC 3261 §8.2 orders it: method, Request-URI scheme, Max-Forwards, Require, content. Null when
 * nothing speaks against serving it. ACK is never refused.
 */
export function checkRequest(request: SipRequest, abilities: Abilities): Refusal | null {
  if (request.method === 'ACK') return null
  return (
    checkMethod(request, abilities) ??
    checkScheme(request, abilities) ??
    checkHops(request) ??
    checkRequire(request, abilities) ??
    checkContent(request, abilities) ??
    checkAccept(request, abilities)
  )
}

/**
 * Whether a response may be for us: exactly one Via (RFC 3261 §8.1.3.3), since we send no request for others. What fails is dropped and
 * counted.
 */
export function isOurResponse(headers: { all(name: string): readonly string[] }): boolean {
  return headers.all('via').length === 1
}

/** Methods of the registered extensions: known, so that refusing them is 405 and not 501 (RFC 3261 §21.5.2). */
const REGISTERED: ReadonlySet<string> = new Set(
  'INVITE ACK BYE CANCEL REGISTER OPTIONS INFO PRACK SUBSCRIBE NOTIFY UPDATE MESSAGE REFER PUBLISH'.split(' '),
)

function checkMethod({ method }: SipRequest, { methods }: Abilities): Refusal | null {
  if (methods.includes(method)) return null
  return { status: REGISTERED.has(method) ? 405 : 501, headers: [['Allow', methods.join(', ')]] }
}

function checkScheme({ uri }: SipRequest, { schemes }: Abilities): Refusal | null {
  return schemes.includes(schemeOf(uri)) ? null : { status: 416, headers: [] }
}

/**
 * We are the end of the SIP path, where 0 is fine; but a call or message that we pass on to another leg has used up its hops, and this is
 * what ends loops through us. OPTIONS and REGISTER end here (RFC 3261 §11: OPTIONS with 0 is how paths are traced).
 */
function checkHops(request: SipRequest): Refusal | null {
  if (!PASSED_ON.has(request.method) || request.headers.maxForwards !== 0 || request.headers.to.tag !== undefined) return null
  return { status: 483, headers: [] }
}
const PASSED_ON: ReadonlySet<string> = new Set(['INVITE', 'MESSAGE', 'REFER', 'SUBSCRIBE', 'PUBLISH'])

/** Require counts in every request but CANCEL and ACK (RFC 3261 §8.2.2.3); Proxy-Require is for proxies only. */
function checkRequire(request: SipRequest, { extensions }: Abilities): Refusal | null {
  if (request.method === 'CANCEL') return null
  const { require } = request.headers
  if (require.length === 0) return null
  const unknown = require.filter((tag) => !extensions.includes(tag))
  return unknown.length === 0 ? null : { status: 420, headers: [['Unsupported', unknown.join(', ')]] }
}

/** RFC 3261 §8.2.3: an unknown body type or encoding is refused unless its disposition says `handling=optional`. */
function checkContent(request: SipRequest, abilities: Abilities): Refusal | null {
  if (request.body.length === 0 || isOptional(request)) return null
  const encoding = request.headers.get('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return { status: 415, headers: [['Accept-Encoding', 'identity']] }
  const accepted = abilities.accept[request.method]
  const type = request.headers.contentType?.type
  if (accepted === undefined || (type !== undefined && accepted.includes(type))) return null
  return { status: 415, headers: [['Accept', accepted.join(', ')]] }
}

function isOptional(request: SipRequest): boolean {
  const disposition = request.headers.get('content-disposition')
  return disposition !== undefined && /;[ \t]*handling[ \t]*=[ \t]*optional\b/i.test(disposition)
}

/** An INVITE whose Accept leaves out every type that we can answer with (RFC 4475 §3.3.15). */
function checkAccept(request: SipRequest, abilities: Abilities): Refusal | null {
  const ours = abilities.accept['INVITE']
  if (request.method !== 'INVITE' || ours === undefined || !request.headers.has('accept')) return null
  const accepted = request.headers.all('accept')
  for (const range of accepted) if (ours.includes(range)) return null
  const ranges = accepted.map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase())
  const matches = (range: string): boolean =>
    ours.some((type) => range === type || range === '*/*' || range === `${type.slice(0, type.indexOf('/'))}/*`)
  return ranges.some(matches) ? null : { status: 406, headers: [['Accept', ours.join(', ')]] }
}
