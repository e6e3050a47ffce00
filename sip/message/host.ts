import { classOf, consistsOf, parseUint } from '#sip/message/grammar.ts'

/** A host and its optional port, from URIs and Via. IPv6 addresses carry no brackets here; names are in lower case. */
export interface HostPort {
  readonly host: string
  readonly port: number | undefined
}

/** Parses `host [":" port]` (RFC 3261 §25.1, RFC 5118 §4.2); undefined when malformed. Underscores in names are accepted, as DNS does. */
export function parseHostPort(text: string): HostPort | undefined {
  if (text.charCodeAt(0) === 0x5b) return parseBracketed(text)
  const colon = text.indexOf(':')
  const host = colon < 0 ? text : text.slice(0, colon)
  const isAddress = isIpv4(host)
  if (!isAddress && !isHostName(host)) return undefined
  return withPort(isAddress ? host : host.toLowerCase(), colon < 0 ? undefined : text.slice(colon + 1))
}

/** The host as it stands in a URI or Via: an IPv6 address in brackets. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** `host` or `host:port`, an IPv6 address in brackets. */
export function formatHostPort(host: string, port: number | undefined): string {
  return port === undefined ? formatHost(host) : `${formatHost(host)}:${port}`
}

/** Dotted quad, each part 0 to 255. */
export function isIpv4(text: string): boolean {
  if (text.length < 7 || text.length > 15) return false
  let part = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (part < 0 || ++dots > 3) return false
      part = -1
    } else {
      if (code < 0x30 || code > 0x39) return false
      part = Math.max(part, 0) * 10 + code - 0x30
      if (part > 255) return false
    }
  }
  return dots === 3 && part >= 0
}

/** IPv6 address without brackets or zone (RFC 4291 §2.2), the last 32 bits optionally as a dotted quad. */
export function isIpv6(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = groupCount(halves[0] ?? '', halves.length === 1) + groupCount(halves[1] ?? '', true)
  return halves.length === 2 ? groups <= 7 : groups === 8
}

const HEX = classOf('0123456789abcdefABCDEF')
const NAME = classOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.')
const DIGITS_AND_DOTS = classOf('0123456789.')

function parseBracketed(text: string): HostPort | undefined {
  const close = text.indexOf(']')
  const address = text.slice(1, close)
  if (close < 0 || !isIpv6(address)) return undefined
  const rest = text.slice(close + 1)
  if (rest !== '' && rest.charCodeAt(0) !== 0x3a) return undefined
  return withPort(address.toLowerCase(), rest === '' ? undefined : rest.slice(1))
}

function withPort(host: string, digits: string | undefined): HostPort | undefined {
  if (digits === undefined) return { host, port: undefined }
  const port = parseUint(digits, 65_535)
  return port === undefined || port === 0 ? undefined : { host, port }
}

/** Groups of 16 bits in one half of an address; 99 when one is malformed. */
function groupCount(half: string, mayEndInQuad: boolean): number {
  if (half === '') return 0
  const groups = half.split(':')
  let count = 0
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] ?? ''
    if (mayEndInQuad && i === groups.length - 1 && isIpv4(group)) count += 2
    else if (group.length >= 1 && group.length <= 4 && consistsOf(group, HEX)) count += 1
    else return 99
  }
  return count
}

function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > 255 || !consistsOf(text, NAME)) return false
  const first = text.charCodeAt(0)
  if (first === 0x2e || first === 0x2d || text.includes('..')) return false
  // What looks like an address but is none (999.1.1.1, 1.2.3) is not a name either: no top label is a number.
  return !consistsOf(text, DIGITS_AND_DOTS)
}
