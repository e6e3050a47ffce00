import { afterQuoted, elementEnd, isBlank, isToken, quoted, trimmed, unquoted } from '#sip/message/grammar.ts'
import { MAX_LIST_ELEMENTS } from '#sip/message/limits.ts'
import { formatParams, type Params, parseParams } from '#sip/message/params.ts'
import { parseUri, type Uri } from '#sip/message/uri.ts'

/** A `name-addr` or `addr-spec` with header parameters: From, To, Contact, Route, P-Asserted-Identity, ... (RFC 3261 §20.10). */
export interface NameAddr {
  /** Text for people, escapes undone; '' when there is none. */
  readonly display: string
  /** The URI as on the wire. */
  readonly uri: string
  /** Parsed `uri`. */
  readonly parsed: Uri
  /** Header parameters: those behind the `>`, or behind a bare URI. */
  readonly params: Params
  /** Parameter `tag`. */
  readonly tag: string | undefined
}

/**
 * Parses one address with its parameters; undefined when malformed. Strict where leniency would let two readers disagree: an unclosed
 * quote or bracket, a comma or `@`-less bracket in an unquoted display name, blanks inside `<>`, a bare URI with `?` or `,` (RFC 3261
 * §20.10 wants brackets then). Lenient with other characters in an unquoted display name, as many phones do not quote UTF-8. `like`: an
 * address whose URI is likely the same, and then is not parsed again.
 */
export function parseNameAddr(text: string, like: NameAddr | null = null): NameAddr | undefined {
  if (text.charCodeAt(0) === QUOTE) {
    const end = afterQuoted(text, 0)
    return end < 0 ? undefined : parseBracketed(text, unquoted(text.slice(0, end)), skipBlanks(text, end), like)
  }
  const open = text.indexOf('<')
  if (open < 0) return parseBare(text, like)
  const display = trimmed(text, 0, open)
  return display !== '' && BREAKS_DISPLAY.test(display) ? undefined : parseBracketed(text, display, open, like)
}

/** Parses a comma-separated list of addresses; undefined when one is malformed or there are more than MAX_LIST_ELEMENTS. */
export function parseNameAddrs(values: readonly string[]): readonly NameAddr[] | undefined {
  if (values.length === 0) return NONE
  const addresses: NameAddr[] = []
  for (const value of values) {
    for (let at = 0; at <= value.length; ) {
      const end = elementEnd(value, at)
      const address = addresses.length < MAX_LIST_ELEMENTS ? parseNameAddr(trimmed(value, at, end)) : undefined
      if (address === undefined) return undefined
      // Most lists are of one, and kept: `push` would make room for seventeen.
      if (values.length === 1 && at === 0 && end === value.length) return [address]
      addresses.push(address)
      at = end + 1
    }
  }
  return addresses
}

/** The wire form, always with angle brackets; the display name is quoted unless it is a list of tokens. */
export function formatNameAddr(address: { display?: string; uri: string; params?: Params }): string {
  const display = address.display ?? ''
  const name = display === '' ? '' : `${isTokens(display) ? display : quoted(display)} `
  return `${name}<${address.uri}>${address.params === undefined ? '' : formatParams(address.params)}`
}

const NONE: readonly NameAddr[] = []
const QUOTE = 0x22
/** A colon is left out on purpose: some phones put a URI there. */
const BREAKS_DISPLAY = /[",;>]/

function parseBracketed(text: string, display: string, open: number, like: NameAddr | null): NameAddr | undefined {
  if (text.charCodeAt(open) !== 0x3c) return undefined
  const close = text.indexOf('>', open)
  if (close < 0) return undefined
  return assemble(display, text.slice(open + 1, close), parseParams(text, close + 1), like)
}

function parseBare(text: string, like: NameAddr | null): NameAddr | undefined {
  const semicolon = text.indexOf(';')
  const uri = trimmed(text, 0, semicolon < 0 ? text.length : semicolon)
  if (uri.includes('?') || uri.includes(',')) return undefined
  return assemble('', uri, parseParams(text, semicolon < 0 ? text.length : semicolon), like)
}

function assemble(display: string, uri: string, params: Params | undefined, like: NameAddr | null): NameAddr | undefined {
  if (params === undefined) return undefined
  const parsed = like !== null && like.uri === uri ? like.parsed : parseUri(uri)
  const tag = params.get('tag')
  if (parsed === undefined || tag === '') return undefined
  return { display, uri, parsed, params, tag }
}

function isTokens(display: string): boolean {
  return display.split(' ').every(isToken)
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++
  return at
}
