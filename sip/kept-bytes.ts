/** A few dozen messages. */
const CHUNK_BYTES = 16_384

/**
 * Copies of messages that are kept for long, side by side in memory of their own. As they come they lie among all other messages, 64 kB together
 * in Node's shared pool: one in a hundred that is kept would keep the whole flood that it came with. Not for each memory of its own, either: that
 * costs several times as much as the copy.
 */
export class KeptBytes {
  #chunk = new ArrayBuffer(0)
  #used = 0

  keep(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > CHUNK_BYTES / 4) return new Uint8Array(bytes)
    if (this.#used + length > this.#chunk.byteLength) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES).buffer
      this.#used = 0
    }
    const kept = new Uint8Array(this.#chunk, this.#used, length)
    kept.set(bytes)
    this.#used += length
    return kept
  }
}
