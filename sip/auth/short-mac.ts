import { hash, type KeyObject } from 'node:crypto'

/** 96 bits in base64url. */
const LENGTH = 16

/**
 * A message authentication code of 96 bits: SHA-256 of a key and the text, cut off. What a plain hash of both would let others do, to go on from it
 * behind the text, needs the 160 bits that nobody sees (chop-MD; Coron, Dodis, Malinaud and Puniya, CRYPTO 2005). Half the work of HMAC, and each
 * request of a phone needs one.
 */
export class ShortMac {
  readonly #keyLength: number
  /** The key, and room for a text behind it. */
  #room: Buffer

  /** `key`: at least 128 bits, used for nothing else. */
  constructor(key: KeyObject) {
    const bytes = key.export()
    this.#keyLength = bytes.length
    this.#room = withRoom(bytes, 512)
  }

  /** Of a text in UTF-8, in base64url. */
  of(text: string): string {
    const length = Buffer.byteLength(text)
    if (this.#keyLength + length > this.#room.length) this.#room = withRoom(this.#room.subarray(0, this.#keyLength), 2 * length)
    this.#room.write(text, this.#keyLength)
    return hash('sha256', this.#room.subarray(0, this.#keyLength + length), 'base64url').slice(0, LENGTH)
  }
}

/** The key in memory of its own, which it shares with no message, and nowhere else any more. */
function withRoom(key: Buffer, room: number): Buffer {
  const wider = Buffer.alloc(key.length + room)
  key.copy(wider)
  key.fill(0)
  return wider
}
