/** Character classes and small scanners of RFC 3261 §25.1, all linear and total. */

const TOKEN = classOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")

const SPACE = 0x20
const TAB = 0x09
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** True for one or more token characters. */
export function isToken(text: string): boolean {
  return text.length > 0 && consistsOf(text, TOKEN)
}

/** A set of ASCII characters, indexed by code. */
export function classOf(characters: string): Uint8Array {
  const set = new Uint8Array(128)
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1
  return set
}

/** True when every character is in `set`; also for the empty text. */
export function consistsOf(text: string, set: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (set[text.charCodeAt(i)] !== 1) return false
  return true
}

/** 1*DIGIT as a number, or undefined when it is anything else or above `max`. Leading zeros are allowed, signs are not. */
export function parseUint(text: string, max: number): number | undefined {
  if (text.length === 0) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
    if (value > max) return undefined
  }
  return value
}

/** True for SP and HTAB. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** Offset of the first SP or HTAB, or the text's length. */
export function firstBlank(text: string): number {
  for (let i = 0; i < text.length; i++) if (isBlank(text.charCodeAt(i))) return i
  return text.length
}

/** `text` from `start` to `end` without blanks at its ends. Unlike String.trim it leaves other Unicode spaces alone. */
export function trimmed(text: string, start = 0, end = text.length): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** Offset behind the quoted string that starts at `at` (a `"`); -1 when it is not closed. */
export function afterQuoted(text: string, at: number): number {
  const close = text.indexOf('"', at + 1)
  // Nearly always: V8 finds it faster than a loop does, and what no backslash stands before is not escaped.
  if (close < 0 || text.charCodeAt(close - 1) !== BACKSLASH) return close < 0 ? -1 : close + 1
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i + 1
  }
  return -1
}

/** Elements of a comma-separated list, trimmed; commas in quoted strings and angle brackets do not separate. An unclosed quote takes the rest. */
export function splitList(text: string): string[] {
  if (!text.includes(',')) return [trimmed(text)]
  const elements: string[] = []
  let at = 0
  while (at <= text.length) {
    const comma = elementEnd(text, at)
    elements.push(trimmed(text, at, comma))
    at = comma + 1
  }
  return elements
}

/** Whether `element` is one of the elements of a comma-separated list, letter for letter: as `splitList` would have them, which makes a text of each. */
export function listHolds(text: string, element: string): boolean {
  if (!text.includes(element)) return false
  for (let at = 0; at <= text.length; ) {
    const comma = elementEnd(text, at)
    if (trimmed(text, at, comma) === element) return true
    at = comma + 1
  }
  return false
}

/** Offset of the comma that ends the list element starting at `at`, or the text's length. */
export function elementEnd(text: string, at: number): number {
  const comma = text.indexOf(',', at)
  if (comma < 0) return text.length
  let bracketed = false
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE && !bracketed) {
      const end = afterQuoted(text, i)
      if (end < 0) return text.length
      i = end - 1
    } else if (code === 0x3c) bracketed = true
    else if (code === 0x3e) bracketed = false
    else if (code === 0x2c && !bracketed) return i
  }
  return text.length
}

/** The content of a quoted string, its escapes undone; text that is not quoted comes back as it is. Of `text`, what is from `start` to `end`. */
export function unquoted(text: string, start = 0, end = text.length): string {
  if (start === end || text.charCodeAt(start) !== QUOTE) return text.slice(start, end)
  const isClosed = end - start > 1 && text.charCodeAt(end - 1) === QUOTE
  const inner = text.slice(start + 1, isClosed ? end - 1 : end)
  return inner.includes('\\') ? inner.replace(/\\([^])/g, '$1') : inner
}

/** `text` as a quoted string: `"` and `\` escaped, line ends and other control characters turned into spaces, so that nothing can break out. */
export function quoted(text: string): string {
  if (needsNoEscape(text)) return `"${text}"`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  return `"${text.replace(/[\x00-\x1f\x7f]/g, ' ').replace(/["\\]/g, '\\$&')}"`
}

function needsNoEscape(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < SPACE || code === QUOTE || code === BACKSLASH || code === 0x7f) return false
  }
  return true
}
