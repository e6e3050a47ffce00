import { isUtf8 } from 'node:buffer'

/**
 * Bytes as text. SIP is UTF-8 (RFC 3261 §7), but what is not must pass through unharmed: a byte that is no valid UTF-8 becomes the lone
 * surrogate U+DC00 + byte, which `writeText` turns back into that byte. Never throws; linear.
 */
export function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : escapingText(bytes)
}

/** Bytes that `text` takes on the wire. */
export function textBytes(text: string): number {
  const length = Buffer.byteLength(text)
  return text.isWellFormed() ? length : length - 2 * escapedCount(text)
}

/** Writes `text` into `target` at `at`; returns the offset behind it. */
export function writeText(target: Buffer, text: string, at: number): number {
  if (text.isWellFormed()) return at + target.write(text, at)
  let to = at
  for (let from = 0; from < text.length; ) {
    let end = from
    while (end < text.length && !isEscapedByte(text, end)) end++
    if (end > from) to += target.write(text.slice(from, end), to)
    for (from = end; from < text.length && isEscapedByte(text, from); from++) target[to++] = text.charCodeAt(from) - 0xdc00
  }
  return to
}

/** `text` as bytes, in one allocation, with `room` more behind it that are not written to. */
export function textWithRoom(text: string, room: number): Buffer {
  const length = Buffer.byteLength(text)
  const isAscii = length === text.length
  const bytes = Buffer.allocUnsafe((isAscii ? length : textBytes(text)) + room)
  // The same bytes, and copied at once.
  if (isAscii) bytes.write(text, 'latin1')
  else writeText(bytes, text, 0)
  return bytes
}

/** `text` up to so many characters, and not up to the middle of one. */
export function beginningOf(text: string, most: number): string {
  const last = text.charCodeAt(most - 1)
  return text.slice(0, text.length > most && last >= 0xd800 && last <= 0xdbff ? most - 1 : most)
}

/** `text` with a space for each run of line breaks. */
export function oneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]+/g, ' ') : text
}

/** A low surrogate from U+DC80 to U+DCFF that no high surrogate precedes; with one it is half of a character. */
function isEscapedByte(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  if (code < 0xdc80 || code > 0xdcff) return false
  const before = text.charCodeAt(at - 1)
  return !(before >= 0xd800 && before <= 0xdbff)
}

function escapedCount(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (isEscapedByte(text, i)) count++
  return count
}

function escapingText(bytes: Buffer): string {
  let text = ''
  let valid = 0
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i)
    if (length > 0) {
      i += length
      continue
    }
    if (valid < i) text += bytes.toString('utf8', valid, i)
    text += String.fromCharCode(0xdc00 + (bytes[i] ?? 0))
    valid = ++i
  }
  return text + bytes.toString('utf8', valid)
}

/** Length of the valid UTF-8 sequence at `i`; 0 if there is none (RFC 3629 §4). */
function sequenceLength(bytes: Buffer, i: number): number {
  const lead = bytes[i] ?? 0
  if (lead < 0x80) return 1
  if (lead < 0xc2 || !isTail(bytes[i + 1])) return 0
  if (lead < 0xe0) return 2
  if (!isSecond(lead, bytes[i + 1] ?? 0) || !isTail(bytes[i + 2])) return 0
  if (lead < 0xf0) return 3
  return isTail(bytes[i + 3]) ? 4 : 0
}

/** Overlong forms, UTF-16 surrogates and what lies above U+10FFFF show in the second byte. */
function isSecond(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0
  if (lead === 0xed) return second <= 0x9f
  if (lead === 0xf0) return second >= 0x90
  return lead < 0xf4 || (lead === 0xf4 && second <= 0x8f)
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
