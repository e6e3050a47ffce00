import { hash, type KeyObject } from 'node:crypto'

/** Of SHA-256, octets (FIPS 180-4). */
const BLOCK = 64
const DIGEST = 32

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for texts of a line or two: two hashes in one go each, where OpenSSL's context for HMAC costs three times
 * as much to make as the hashing takes. Each request of a phone needs some.
 */
export class HmacSha256 {
  readonly #outer = Buffer.alloc(BLOCK + DIGEST)
  /** The key's block, and room for a text behind it. */
  #inner = Buffer.alloc(BLOCK + 512)

  constructor(key: KeyObject) {
    const bytes = key.export()
    const short = bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes
    for (let i = 0; i < BLOCK; i++) {
      const octet = short[i] ?? 0
      this.#inner[i] = octet ^ 0x36
      this.#outer[i] = octet ^ 0x5c
    }
    bytes.fill(0)
  }

  /** Of a text in UTF-8; 32 octets, written as asked. */
  of(text: string, encoding: 'hex' | 'base64url'): string {
    const length = Buffer.byteLength(text)
    if (BLOCK + length > this.#inner.length) this.#inner = Buffer.concat([this.#inner.subarray(0, BLOCK)], BLOCK + 2 * length)
    this.#inner.write(text, BLOCK)
    // In hexadecimal and back: asked for a Buffer, Node makes one for each hash.
    this.#outer.write(hash('sha256', this.#inner.subarray(0, BLOCK + length), 'hex'), BLOCK, 'hex')
    return hash('sha256', this.#outer, encoding)
  }
}
