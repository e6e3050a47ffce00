import { isToken, quoted, splitList, trimmed, unquoted } from '#sip/message/grammar.ts'
import { MAX_PARAMS } from '#sip/message/limits.ts'

/** A challenge or credentials: `Digest realm="x", nonce="y"` (RFC 3261 §25.1 `challenge`, `credentials`). */
export interface AuthHeader {
  /** Lower case. */
  readonly scheme: string
  /** Names in lower case, values unquoted. */
  readonly params: ReadonlyMap<string, string>
}

/** Parses one challenge or credentials; undefined when malformed, which includes a parameter that is given twice. */
export function parseAuthHeader(text: string): AuthHeader | undefined {
  const blank = text.search(/[ \t]/)
  const scheme = blank < 0 ? text : text.slice(0, blank)
  if (!isToken(scheme)) return undefined
  const params = new Map<string, string>()
  if (blank >= 0) {
    for (const element of splitList(trimmed(text, blank))) if (!addParam(params, element)) return undefined
  }
  return { scheme: scheme.toLowerCase(), params }
}

/** Formats `scheme name=value, ...`; values of the names in `bare` stand without quotes. */
export function formatAuthHeader(
  scheme: string,
  params: readonly (readonly [name: string, value: string])[],
  bare: ReadonlySet<string>,
): string {
  return `${scheme} ${params.map(([name, value]) => `${name}=${bare.has(name) ? value : quoted(value)}`).join(', ')}`
}

function addParam(params: Map<string, string>, element: string): boolean {
  const equals = element.indexOf('=')
  const name = trimmed(element, 0, Math.max(equals, 0)).toLowerCase()
  if (!isToken(name) || params.has(name) || params.size >= MAX_PARAMS) return false
  params.set(name, unquoted(trimmed(element, equals + 1)))
  return true
}
