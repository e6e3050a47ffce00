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
    const { chunk, at } = this.room(bytes.length)
    chunk.set(bytes, at)
    return new Uint8Array(chunk.buffer, chunk.byteOffset + at, bytes.length)
  }

  /**
   * For whoever keeps tens of thousands, to be filled at once: says where so many bytes begin, and in what. To make a view of them costs as much
   * memory again.
   */
  room(length: number): { readonly chunk: Buffer; readonly at: number } {
    if (length > CHUNK_BYTES / 4) return { chunk: Buffer.allocUnsafeSlow(length), at: 0 }
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
      this.#used = 0
    }
    const at = this.#used
    this.#used += length
    return { chunk: this.#chunk, at }
  }
}
