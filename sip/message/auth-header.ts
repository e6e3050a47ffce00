import { elementEnd, firstBlank, isBlank, isToken, quoted, trimmed, unquoted } from '#sip/message/grammar.ts'
import { MAX_PARAMS } from '#sip/message/limits.ts'
import { byLength, nameIn, type NamesByLength, ParamChain, type Params } from '#sip/message/params.ts'

/** A challenge or credentials: `Digest realm="x", nonce="y"` (RFC 3261 §25.1 `challenge`, `credentials`). */
export interface AuthHeader {
  /** Lower case. */
  readonly scheme: string
  /** Names in lower case, values unquoted. */
  readonly params: Params
}

/** Parses one challenge or credentials; undefined when malformed, which includes a parameter that is given twice. */
export function parseAuthHeader(text: string): AuthHeader | undefined {
  const blank = firstBlank(text)
  const scheme = text.slice(0, blank)
  if (!isToken(scheme)) return undefined
  const params = new ParamChain()
  if (blank < text.length) {
    for (let at = blank; at <= text.length; ) {
      const end = elementEnd(text, at)
      if (!addParam(params, text, at, end)) return undefined
      at = end + 1
    }
  }
  return { scheme: scheme === 'Digest' ? 'digest' : scheme.toLowerCase(), params }
}

/** Formats `scheme name=value, ...`; values of the names in `bare` stand without quotes. */
export function formatAuthHeader(
  scheme: string,
  params: readonly (readonly [name: string, value: string])[],
  bare: ReadonlySet<string>,
): string {
  let text = ''
  for (const [name, value] of params) text += `${text === '' ? '' : ', '}${name}=${bare.has(name) ? value : quoted(value)}`
  return `${scheme} ${text}`
}

/** Those of Digest (RFC 7616 §3.3, §3.4). */
const DIGEST: NamesByLength = byLength(
  ...['nc', 'uri', 'qop', 'realm', 'nonce', 'stale', 'opaque', 'cnonce', 'username', 'response', 'algorithm'],
)

/** Whether the element of `text` from `start` to `end` is a parameter that is not there yet. */
function addParam(params: ParamChain, text: string, start: number, end: number): boolean {
  while (start < end && isBlank(text.charCodeAt(start))) start++
  const equals = text.indexOf('=', start)
  if (equals < 0 || equals >= end) return false
  const digest = nameIn(DIGEST, text, start, equals)
  const name = digest ?? trimmed(text, start, equals).toLowerCase()
  if ((digest === undefined && !isToken(name)) || params.has(name) || params.size >= MAX_PARAMS) return false
  let from = equals + 1
  while (from < end && isBlank(text.charCodeAt(from))) from++
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--
  params.add(name, unquoted(text, from, end))
  return true
}
