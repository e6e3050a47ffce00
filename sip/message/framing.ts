import { parseUint, trimmed } from '#sip/message/grammar.ts'
import { CONTENT_LENGTH, headerName } from '#sip/message/header-names.ts'
import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from '#sip/message/limits.ts'
import type { MalformedRule } from '#sip/message/malformed.ts'

/** What a stream brought. */
export type Frame =
  /** One whole message, its bytes the owner's to keep. It may still be malformed. */
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** A double CR LF between messages (RFC 5626 §4.4.1): answer with one CR LF. */
  | { readonly kind: 'ping' }
  /**
   * The next message's end cannot be known or would be beyond the limits. Answer with `status` if `head` can be read (`parseMessage` of it
   * gives the method and headers to answer by), then close: nothing behind it can be trusted. Further bytes are ignored.
   */
  | { readonly kind: 'refused'; readonly rule: MalformedRule; readonly status: number; readonly head: Buffer }

/**
 * Cuts the byte stream of one TCP or TLS connection into messages by Content-Length (RFC 3261 §18.3). However the bytes are split into
 * chunks, the frames are the same. Linear in the bytes; holds at most one message and its limits.
 *
 * Where another element in front of us could find a different end, the stream is refused and not guessed at: no, several or signed
 * lengths, `5,5`, more digits than a length needs, line breaks that are no CR LF.
 */
export class StreamFramer {
  #buffer: Buffer = EMPTY
  /** Bytes of `#buffer` in use. */
  #used = 0
  /** Start of the first message that is not complete. */
  #start = 0
  /** Up to here there is no end of the head. */
  #searched = 0
  /** Length of the current message once its head is complete, else 0. */
  #length = 0
  /** One CR LF came and its second half of a ping may follow. */
  #halfPing = false
  #refused = false

  /** Takes the next bytes, of any number; gives the frames that they complete, in order. `chunk` may be reused afterwards. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    if (this.#refused) return frames
    this.#append(chunk)
    for (;;) {
      const frame = this.#next()
      if (frame === undefined) break
      frames.push(frame)
      if (this.#refused) break
    }
    this.#compact()
    return frames
  }

  /** Bytes held back for an incomplete message: for idle limits against peers that drip. */
  get pendingBytes(): number {
    return this.#used - this.#start
  }

  #next(): Frame | undefined {
    if (this.#length === 0) {
      const frame = this.#skipBreaks() ?? this.#readHead()
      if (frame !== undefined || this.#length === 0) return frame
    }
    if (this.#used - this.#start < this.#length) return undefined
    const bytes = Buffer.from(this.#buffer.subarray(this.#start, this.#start + this.#length))
    this.#start += this.#length
    this.#searched = this.#start
    this.#length = 0
    return { kind: 'message', bytes }
  }

  /** CR LF before a message: two are a ping, one is nothing. */
  #skipBreaks(): Frame | undefined {
    while (this.#used - this.#start >= 2 && this.#buffer[this.#start] === CR && this.#buffer[this.#start + 1] === LF) {
      this.#start += 2
      this.#searched = this.#start
      this.#halfPing = !this.#halfPing
      if (!this.#halfPing) return { kind: 'ping' }
    }
    return undefined
  }

  #readHead(): Frame | undefined {
    const bytes = this.#buffer.subarray(0, this.#used)
    if (this.#used === this.#start || (this.#used === this.#start + 1 && bytes[this.#start] === CR)) return undefined
    this.#halfPing = false
    const end = bytes.indexOf('\r\n\r\n', this.#searched, 'latin1')
    if (end < 0 || end - this.#start > MAX_HEAD_BYTES) {
      if (this.#used - this.#start > MAX_HEAD_BYTES + 4) return this.#refuse('head-too-long', 513, this.#start + MAX_HEAD_BYTES)
      this.#searched = Math.max(this.#start, this.#used - 3)
      return undefined
    }
    const length = contentLength(bytes.toString('latin1', this.#start, end + 2))
    if (typeof length !== 'number') return this.#refuse(length, 400, end + 4)
    if (length > MAX_BODY_BYTES) return this.#refuse('body-too-long', 513, end + 4)
    this.#length = end + 4 - this.#start + length
    return undefined
  }

  #refuse(rule: MalformedRule, status: number, end: number): Frame {
    this.#refused = true
    const head = Buffer.from(this.#buffer.subarray(this.#start, end))
    this.#buffer = EMPTY
    this.#start = this.#used = 0
    return { kind: 'refused', rule, status, head }
  }

  #append(chunk: Uint8Array): void {
    if (this.#used + chunk.length > this.#buffer.length) {
      const held = this.#used - this.#start
      // Doubling keeps the copying linear; the limits keep `held` below one message.
      const grown = Buffer.allocUnsafe(Math.max(MIN_BUFFER, 2 * held, held + chunk.length))
      this.#buffer.copy(grown, 0, this.#start, this.#used)
      this.#searched -= this.#start
      this.#buffer = grown
      this.#start = 0
      this.#used = held
    }
    this.#buffer.set(chunk, this.#used)
    this.#used += chunk.length
  }

  /** An idle connection holds no buffer: thousands of phones are idle. */
  #compact(): void {
    if (this.#start < this.#used || this.#length > 0) return
    this.#start = this.#used = this.#searched = 0
    if (this.#buffer.length > 0) this.#buffer = EMPTY
  }
}

/** True for datagrams that only keep a NAT binding alive: empty, line breaks, or zero bytes as some phones send. */
export function isKeepAlive(bytes: Uint8Array): boolean {
  if (bytes.length > 8) return false
  for (const byte of bytes) if (byte !== CR && byte !== LF && byte !== 0) return false
  return true
}

const CR = 0x0d
const LF = 0x0a
const EMPTY = Buffer.alloc(0)
/** Holds most messages without growing. */
const MIN_BUFFER = 2048
/** 10 digits reach 2^32; with more, other elements may have overflowed and found another end. */
const MAX_DIGITS = 10

/** The body's length by the head (ending behind its last CR LF), or the rule that forbids to know it. */
function contentLength(head: string): number | MalformedRule {
  if (BARE_BREAK.test(head)) return 'line-break'
  let found: string | undefined
  for (let at = head.indexOf('\r\n') + 2; at < head.length; ) {
    const end = lineEnd(head, at)
    if (mayBeLength(head.charCodeAt(at))) {
      const line = head.slice(at, end)
      const colon = line.indexOf(':')
      if (colon > 0 && headerName(line.slice(0, colon)) === CONTENT_LENGTH) {
        if (found !== undefined) return 'duplicate'
        found = trimmed(line.slice(colon + 1).replaceAll('\r\n', ' '))
      }
    }
    at = end + 2
  }
  if (found === undefined || found.length > MAX_DIGITS) return 'content-length'
  return parseUint(found, Number.MAX_SAFE_INTEGER) ?? 'content-length'
}

const BARE_BREAK = /\r(?!\n)|(?<!\r)\n/

/** C, c, L, l: the only first letters of Content-Length and its compact form. */
function mayBeLength(code: number): boolean {
  return code === 0x43 || code === 0x63 || code === 0x4c || code === 0x6c
}

/** Offset of the CR LF that ends the line at `at`, its continuation lines included. */
function lineEnd(head: string, at: number): number {
  let end = head.indexOf('\r\n', at)
  while (head[end + 2] === ' ' || head[end + 2] === '\t') end = head.indexOf('\r\n', end + 2)
  return end
}
