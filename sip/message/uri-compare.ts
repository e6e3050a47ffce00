import { unescaped } from '#sip/message/escape.ts'
import type { Params } from '#sip/message/params.ts'
import type { SipUri, TelUri, Uri } from '#sip/message/uri.ts'

/**
 * Whether two URIs are equivalent: RFC 3261 §19.1.4 for sip and sips, RFC 3966 §4 for tel, text for others. Reflexive and symmetric, but
 * not transitive, as RFC 3261 admits: a parameter that only one side has is ignored unless it is one of a few.
 */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.kind === 'sip' && b.kind === 'sip') return sameSip(a, b)
  if (a.kind === 'tel' && b.kind === 'tel') return sameTel(a, b)
  return a.kind === 'other' && b.kind === 'other' && a.text === b.text
}

/** Must be on both sides or none: omitting one is not the same as its default (RFC 3261 §19.1.4). */
const DISTINGUISHING = ['user', 'ttl', 'method', 'maddr', 'transport']

function sameSip(a: SipUri, b: SipUri): boolean {
  if (a.secure !== b.secure || a.escapedUser !== b.escapedUser || a.password !== b.password) return false
  if (a.host !== b.host || a.port !== b.port) return false
  return sameParams(a.params, b.params) && sameHeaders(a.headers, b.headers)
}

function sameParams(a: Params, b: Params): boolean {
  for (const name of DISTINGUISHING) if (a.has(name) !== b.has(name)) return false
  for (const [name, value] of a) {
    const other = b.get(name)
    if (other !== undefined && !sameText(value, other)) return false
  }
  return true
}

/** Headers are never ignored; their order is. */
function sameHeaders(a: SipUri['headers'], b: SipUri['headers']): boolean {
  if (a.length !== b.length) return false
  const key = (headers: SipUri['headers']): string =>
    headers
      .map(([name, value]) => `${name.toLowerCase()}=${value}`)
      .sort()
      .join('\n')
  return key(a) === key(b)
}

function sameTel(a: TelUri, b: TelUri): boolean {
  if (a.number.toLowerCase() !== b.number.toLowerCase() || a.params.size !== b.params.size) return false
  for (const [name, value] of a.params) {
    const other = b.params.get(name)
    if (other === undefined || !sameText(value, other)) return false
  }
  return true
}

function sameText(a: string, b: string): boolean {
  return a === b || unescaped(a).toLowerCase() === unescaped(b).toLowerCase()
}
