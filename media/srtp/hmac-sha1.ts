import type { KeyObject } from 'node:crypto'

const BLOCK = 64
/** Of a digest, octets. */
export const DIGEST_BYTES = 20

/** Most that is hashed at once behind the first block: a packet, a rollover counter and the padding. */
const LONGEST = 1600

/** The message schedule, and a message with its padding. Filled and used up within one call. */
const schedule = new Int32Array(80)
const padded = new Uint8Array(Math.ceil((LONGEST + 9) / BLOCK) * BLOCK)

/**
 * HMAC-SHA1 (RFC 2104; FIPS 180-4 §6.1) under one key, for messages as short as packets: the two blocks that are made of the key are hashed once
 * and for all, where OpenSSL makes a context for every packet, which costs more than the hashing itself.
 */
export class HmacSha1 {
  readonly #inner = new Int32Array(5)
  readonly #outer = new Int32Array(5)
  readonly #state = new Int32Array(5)
  readonly #digest = new Uint8Array(DIGEST_BYTES)

  /** Keys are at most a block long: SRTP's have 20 octets (RFC 3711 §5.2). */
  constructor(key: KeyObject) {
    const bytes = key.export()
    if (bytes.length > BLOCK) throw new RangeError(`a key of ${bytes.length} octets is longer than a block of SHA-1`)
    absorbKey(this.#inner, bytes, 0x36)
    absorbKey(this.#outer, bytes, 0x5c)
    bytes.fill(0)
  }

  /** Of the first `length` octets of a message. The result is used again by the next call. */
  of(message: Uint8Array, length: number): Uint8Array {
    const state = this.#state
    state.set(this.#inner)
    const whole = length - (length % BLOCK)
    for (let at = 0; at < whole; at += BLOCK) absorb(state, message, at)
    finish(state, message, whole, length)
    const digest = this.#digest
    write(state, digest)
    state.set(this.#outer)
    finish(state, digest, 0, DIGEST_BYTES)
    write(state, digest)
    return digest
  }
}

function absorbKey(state: Int32Array, key: Uint8Array, pad: number): void {
  state[0] = 0x67452301
  state[1] = 0xefcdab89
  state[2] = 0x98badcfe
  state[3] = 0x10325476
  state[4] = 0xc3d2e1f0
  const block = padded.subarray(0, BLOCK)
  block.fill(pad)
  for (let i = 0; i < key.length; i++) block[i] = pad ^ (key[i] as number)
  absorb(state, block, 0)
  block.fill(0)
}

/** The last octets of a message, from `at` on, with the padding and the length in bits, to which the key's block belongs (FIPS 180-4 §5.1.1). */
function finish(state: Int32Array, message: Uint8Array, at: number, length: number): void {
  const rest = length - at
  const end = rest + 9 > BLOCK ? 2 * BLOCK : BLOCK
  for (let i = 0; i < rest; i++) padded[i] = message[at + i] as number
  padded[rest] = 0x80
  padded.fill(0, rest + 1, end)
  const bits = (BLOCK + length) * 8
  padded[end - 4] = bits >>> 24
  padded[end - 3] = bits >>> 16
  padded[end - 2] = bits >>> 8
  padded[end - 1] = bits
  for (let block = 0; block < end; block += BLOCK) absorb(state, padded, block)
}

function write(state: Int32Array, digest: Uint8Array): void {
  for (let i = 0; i < 5; i++) {
    const word = state[i] as number
    digest[4 * i] = word >>> 24
    digest[4 * i + 1] = word >>> 16
    digest[4 * i + 2] = word >>> 8
    digest[4 * i + 3] = word
  }
}

/** One block of 64 octets from `at` (FIPS 180-4 §6.1.2). Its loops are written out by their four functions, as this is where the time goes. */
function absorb(state: Int32Array, message: Uint8Array, at: number): void {
  const w = schedule
  for (let i = 0, k = at; i < 16; i++, k += 4)
    w[i] =
      ((message[k] as number) << 24) | ((message[k + 1] as number) << 16) | ((message[k + 2] as number) << 8) | (message[k + 3] as number)
  for (let i = 16; i < 80; i++) {
    const mixed = (w[i - 3] as number) ^ (w[i - 8] as number) ^ (w[i - 14] as number) ^ (w[i - 16] as number)
    w[i] = (mixed << 1) | (mixed >>> 31)
  }
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  for (let i = 0; i < 20; i++) {
    const next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + (w[i] as number) + 0x5a827999) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 20; i < 40; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + (w[i] as number) + 0x6ed9eba1) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 40; i < 60; i++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + (w[i] as number) + 0x8f1bbcdc) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (let i = 60; i < 80; i++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + (w[i] as number) + 0xca62c1d6) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
}
