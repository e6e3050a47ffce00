import { textBytes, writeText } from '#sip/message/text.ts'

/** A few dozen messages. */
const CHUNK_BYTES = 16_384
/** Bytes of UTF-8 for one unit of UTF-16. */
const MOST_PER_UNIT = 3

/**
 * Copies of messages that are kept for long, side by side in memory of their own. As they come they lie among all other messages, 64 kB together
 * in Node's shared pool: one in a hundred that is kept would keep the whole flood that it came with. Not for each memory of its own, either: that
 * costs several times as much as the copy.
 */
export class KeptBytes {
  #chunk = Buffer.alloc(0)
  #used = 0

  keep(bytes: Uint8Array): Uint8Array {
    const { chunk, at } = this.place(bytes)
    return new Uint8Array(chunk.buffer, chunk.byteOffset + at, bytes.length)
  }

  /**
   * As `keep`, for whoever keeps tens of thousands: says where the copy begins, and in what. To make a view of it costs as much memory again.
   * `text` is kept just behind it as it goes on the wire, and takes `textLength` bytes.
   */
  place(bytes: Uint8Array, text = ''): { readonly chunk: Buffer; readonly at: number; readonly textLength: number } {
    const { length } = bytes
    const most = length + text.length * MOST_PER_UNIT
    const isAlone = most > CHUNK_BYTES / 4
    const chunk = isAlone ? Buffer.allocUnsafeSlow(length + textBytes(text)) : this.#chunkFor(most)
    const at = isAlone ? 0 : this.#used
    chunk.set(bytes, at)
    const textLength = text === '' ? 0 : writeText(chunk, text, at + length) - at - length
    if (!isAlone) this.#used += length + textLength
    return { chunk, at, textLength }
  }

  #chunkFor(length: number): Buffer {
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#used = 0
    }
    return this.#chunk
  }
}
