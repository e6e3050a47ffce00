import { afterQuoted, trimmed } from '#sip/message/grammar.ts'
import { CONTENT_LENGTH, type HeaderName, headerNameIn } from '#sip/message/header-names.ts'
import { SipHeaders } from '#sip/message/headers.ts'
import { MAX_HEADER_LINES } from '#sip/message/limits.ts'
import type { MalformedRule } from '#sip/message/malformed.ts'
import { textOf } from '#sip/message/text.ts'

/** Start line and header lines of a message, with the first thing wrong among the lines. */
export interface Head {
  readonly startLine: string
  readonly headers: SipHeaders
  /** `at` counts characters of `text`. */
  readonly problem: { readonly rule: MalformedRule; readonly at: number } | null
  readonly text: string
}

/**
 * Takes a head apart. `bytes` ends behind the CR LF of its last line. Reads on behind a bad line, because the answer needs Via, From, To,
 * Call-ID and CSeq wherever they stand; lines that are bad themselves are left out. One pass, linear.
 */
export function readHead(bytes: Buffer): Head {
  return plainEnd(bytes, 0) === bytes.length ? readPlainHead(bytes, 0, bytes.length) : new HeadReader(textOf(bytes), false).read()
}

/** As `readHead`, of the bytes from `start` up to `end`, just after `plainEnd` has found that they are plain up to there. */
export function readPlainHead(bytes: Buffer, start: number, end: number): Head {
  return new HeadReader(bytes.toString('latin1', start, end), true).read()
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is its purpose
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/
const BARE_BREAK = /\r|\n/

/** Where the lines of the head that was looked at last end: at their CR, counted from its beginning. */
const lineEnds = new Int32Array(2 * MAX_HEADER_LINES)

/**
 * How far from `start` on bytes are plain: printable ASCII and HTAB in lines that all end in CR LF, which nearly every head is and which needs no
 * closer look. Up to behind the last line before an empty one, or to the end of `bytes`; -1 where something else stands, or the end of more lines
 * than a head may have.
 */
export function plainEnd(bytes: Buffer, start: number): number {
  const view = viewOf(bytes)
  const { byteOffset, length } = bytes
  let lines = 0
  for (let i = start; ; ) {
    while (i + 4 <= length && arePrintable(view.getInt32(byteOffset + i))) i += 4
    const byte = bytes[i]
    if (byte === undefined) return i
    if (byte === CR && bytes[i + 1] === LF) {
      if (lines === lineEnds.length) return -1
      lineEnds[lines++] = i - start
      i += 2
      if (bytes[i] === CR && bytes[i + 1] === LF) return i
    } else if (byte === TAB || (byte >= 0x20 && byte <= 0x7e)) i++
    else return -1
  }
}

/** Over the memory that `bytes` are part of, most often that of the message before: to make a view takes as long as to look through a message. */
function viewOf({ buffer }: Buffer): DataView {
  if (latest.buffer !== buffer) latest = new DataView(buffer)
  return latest
}
let latest: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0))

/** Four bytes at once: none is below 0x20, for then its highest bit is set by subtracting that; nor above 0x7e, for then it is set or set by adding 1. */
function arePrintable(bytes: number): boolean {
  return (((bytes - 0x20202020) | bytes | (bytes + 0x01010101)) & 0x80808080) === 0
}
const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const COLON = 0x3a

class HeadReader {
  readonly #text: string
  /** Nothing in the text needs the closer look of `#isClean`. */
  readonly #plain: boolean
  readonly #names: HeaderName[] = []
  readonly #values: string[] = []
  /** Of a plain text: how many of its lines have been read. */
  #lines = 0
  #seenLow = 0
  #seenHigh = 0
  #problem: Head['problem'] = null

  constructor(text: string, plain: boolean) {
    this.#text = text
    this.#plain = plain
  }

  read(): Head {
    const text = this.#text
    const startEnd = this.#lineEnd(0)
    const startLine = text.slice(0, startEnd)
    if (!this.#plain) this.#isClean(startLine, 0)
    for (let at = startEnd + 2; at < text.length; ) {
      if (this.#names.length >= MAX_HEADER_LINES) {
        this.#refuse('too-many-headers', at)
        break
      }
      at = this.#readLine(at)
    }
    // On its way out each message has a Content-Length, which must find room.
    if (this.#names.length === MAX_HEADER_LINES && !this.#names.includes(CONTENT_LENGTH)) this.#refuse('too-many-headers', text.length)
    return { startLine, headers: SipHeaders.adopt(this.#names, this.#values), problem: this.#problem, text }
  }

  /** Reads one header line with its continuation lines; gives the offset behind it. */
  #readLine(at: number): number {
    const text = this.#text
    let end = this.#lineEnd(at)
    let folded = false
    while (text[end + 2] === ' ' || text[end + 2] === '\t') {
      folded = true
      end = this.#lineEnd(end + 2)
    }
    let colon = at
    while (colon < end && text.charCodeAt(colon) !== COLON) colon++
    const name = colon === end ? undefined : headerNameIn(text, at, colon)
    if (name === undefined) this.#refuse('header-line', at)
    else this.#keep(name, folded ? unfolded(text.slice(colon + 1, end)) : trimmed(text, colon + 1, end), at)
    return end + 2
  }

  /** Offset of the line break that ends the line from `at` on, the one behind the last that was asked for. */
  #lineEnd(at: number): number {
    return this.#plain ? (lineEnds[this.#lines++] ?? 0) : this.#text.indexOf('\r\n', at)
  }

  #keep(name: HeaderName, value: string, at: number): void {
    if (!this.#plain && !this.#isClean(value, at)) return
    if (name.single >= 0) this.#once(name.single, at)
    this.#names.push(name)
    this.#values.push(value)
  }

  #once(place: number, at: number): void {
    const bit = 1 << (place & 31)
    if (((place < 32 ? this.#seenLow : this.#seenHigh) & bit) !== 0) this.#refuse('duplicate', at)
    if (place < 32) this.#seenLow |= bit
    else this.#seenHigh |= bit
  }

  #isClean(value: string, at: number): boolean {
    if (BARE_BREAK.test(value)) return this.#refuse('line-break', at)
    if (CONTROL.test(value) && hasBareControl(value)) return this.#refuse('control-character', at)
    return true
  }

  #refuse(rule: MalformedRule, at: number): false {
    this.#problem ??= { rule, at }
    return false
  }
}

/** Control characters may stand only in quoted pairs of quoted strings (RFC 3261 §25.1, RFC 4475 §3.1.1.2). */
function hasBareControl(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0x22) {
      const end = afterQuoted(value, i)
      if (end < 0 || CONTROL.test(value.slice(i, end).replace(/\\[^]/g, ''))) return true
      i = end - 1
    } else if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true
  }
  return false
}

/** Continuation lines joined by one space each (RFC 3261 §7.3.1). */
function unfolded(value: string): string {
  return trimmed(
    value
      .split('\r\n')
      .map((part) => trimmed(part))
      .join(' '),
  )
}
