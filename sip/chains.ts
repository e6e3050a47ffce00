/** What stands in at most one `Chains` at a time, under one hash. */
export interface Chained<T extends Chained<T>> {
  /** Used by `Chains`. */
  next: T | null
}

/**
 * A hash table with chains, for things to be found by a text that is random: those with the same hash, nearly always one, stand in a chain, and
 * whoever looks one up compares. A Map by text has V8 enter each text that it is asked for in its table of texts, which costs several times as
 * much. Where others have a say in how many have one text, a chain must be kept short: they could make all stand in one.
 */
export class Chains<T extends Chained<T>> {
  readonly #heads = new Map<number, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first of the chain. */
  first(hash: number): T | null {
    return this.#heads.get(hash) ?? null
  }

  /** Whether fewer than `length` stand in the chain. */
  isShorter(hash: number, length: number): boolean {
    let at = this.first(hash)
    for (let left = length; left > 0; left--) {
      if (at === null) return true
      at = at.next
    }
    return false
  }

  add(hash: number, item: T): void {
    item.next = this.first(hash)
    this.#heads.set(hash, item)
    this.#size++
  }

  /** True if it was there. */
  delete(hash: number, item: T): boolean {
    let before: T | null = null
    let at = this.first(hash)
    while (at !== null && at !== item) {
      before = at
      at = at.next
    }
    if (at === null) return false
    if (before !== null) before.next = item.next
    else if (item.next === null) this.#heads.delete(hash)
    else this.#heads.set(hash, item.next)
    item.next = null
    this.#size--
    return true
  }

  /** All that are there now. */
  all(): T[] {
    const all: T[] = []
    for (const head of this.#heads.values()) for (let at: T | null = head; at !== null; at = at.next) all.push(at)
    return all
  }
}

/** A number of 32 bits made of the last characters of a text. */
export function hashOf(text: string): number {
  let hash = 0
  for (let i = Math.max(0, text.length - LAST); i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}
/** More than 32 bits of hexadecimal digits. */
const LAST = 10
