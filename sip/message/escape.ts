import { textOf } from '#sip/message/text.ts'

/** Percent escapes of URIs (RFC 3261 §19.1.2, RFC 3986 §2.1). Texts that are no valid UTF-8 keep their bytes, see text.ts. */

/** Escapes undone in one pass (`%2541` becomes `%41`). A `%` without two hexadecimal digits stays as it is. */
export function unescaped(text: string): string {
  if (!text.includes('%')) return text
  const bytes = Buffer.from(text)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const value = bytes[i] === PERCENT ? hexPair(bytes[i + 1], bytes[i + 2]) : -1
    bytes[length++] = value < 0 ? (bytes[i] ?? 0) : value
    if (value >= 0) i += 2
  }
  return textOf(bytes.subarray(0, length))
}

/** `text` with everything outside `allowed` escaped as UTF-8 bytes. */
export function escaped(text: string, allowed: Uint8Array): string {
  let out = ''
  let start = 0
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0
    const width = code > 0xffff ? 2 : 1
    if (allowed[code] !== 1) {
      out += text.slice(start, i) + percent(code)
      start = i + width
    }
    i += width
  }
  return start === 0 ? text : out + text.slice(start)
}

/** Escapes in one form: upper-case hexadecimal, and none where the character needs none in any part of a URI. Undefined for a broken escape. */
export function normalisedEscapes(text: string): string | undefined {
  if (!text.includes('%')) return text
  let out = ''
  let start = 0
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', start)) {
    const value = hexPair(text.charCodeAt(at + 1), text.charCodeAt(at + 2))
    if (value < 0) return undefined
    out += text.slice(start, at) + (isUnreserved(value) ? String.fromCharCode(value) : hexEscape(value))
    start = at + 3
  }
  return out + text.slice(start)
}

const PERCENT = 0x25

function percent(code: number): string {
  if (code < 0x80) return hexEscape(code)
  if (code >= 0xdc80 && code <= 0xdcff) return hexEscape(code - 0xdc00)
  let out = ''
  for (const byte of Buffer.from(String.fromCodePoint(code))) out += hexEscape(byte)
  return out
}

function hexEscape(byte: number): string {
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`
}

/** Letters, digits and `mark` (RFC 3261 §25.1). */
function isUnreserved(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || MARKS.has(code)
}
const MARKS = new Set([...`-_.!~*'()`].map((mark) => mark.charCodeAt(0)))

function hexPair(high: number | undefined, low: number | undefined): number {
  const a = hexDigit(high)
  const b = hexDigit(low)
  return a < 0 || b < 0 ? -1 : a * 16 + b
}

function hexDigit(code: number | undefined): number {
  if (code === undefined || Number.isNaN(code)) return -1
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
