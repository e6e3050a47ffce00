const WORDS = 8
const WORD_BITS = 32

/** How far behind the highest index a packet may come and still be told from a replay. RFC 3711 §3.3.2: at least 64. */
export const REPLAY_WINDOW = (WORDS - 1) * WORD_BITS

/**
 * Which of the last indices of a stream were had (RFC 3711 §3.3.2), as a ring of bits (RFC 6479): moving on clears words instead of
 * shifting them all.
 */
export class ReplayWindow {
  /** -1: nothing yet. */
  highest = -1
  readonly #bits = new Uint32Array(WORDS)

  /** Whether `index` may come: it is new, and not too old to tell. */
  isNew(index: number): boolean {
    if (index > this.highest) return true
    if (this.highest - index >= REPLAY_WINDOW) return false
    return ((this.#bits[wordOf(index)] as number) & bitOf(index)) === 0
  }

  /** Notes an index that came and was authentic. */
  note(index: number): void {
    if (index > this.highest) {
      const from = this.highest < 0 ? -1 : Math.floor(this.highest / WORD_BITS)
      const steps = Math.min(WORDS, Math.floor(index / WORD_BITS) - from)
      for (let n = 0; n < steps; n++) this.#bits[wordOf(index - n * WORD_BITS)] = 0
      this.highest = index
    }
    const word = wordOf(index)
    this.#bits[word] = (this.#bits[word] as number) | bitOf(index)
  }
}

function wordOf(index: number): number {
  // A start before the window's first word has no index; those words are empty anyway.
  return index < 0 ? 0 : Math.floor(index / WORD_BITS) % WORDS
}

function bitOf(index: number): number {
  return 1 << (index % WORD_BITS)
}
