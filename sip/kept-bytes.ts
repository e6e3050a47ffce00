/** A few dozen messages. */
const CHUNK_BYTES = 16_384

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

  /** As `keep`, for whoever keeps tens of thousands: says where the copy begins, and in what. To make a view of it costs as much memory again. */
  place(bytes: Uint8Array): { readonly chunk: Buffer; readonly at: number } {
    const { length } = bytes
    if (length > CHUNK_BYTES / 4) {
      const alone = Buffer.allocUnsafeSlow(length)
      alone.set(bytes)
      return { chunk: alone, at: 0 }
    }
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#used = 0
    }
    const at = this.#used
    this.#chunk.set(bytes, at)
    this.#used += length
    return { chunk: this.#chunk, at }
  }
}
