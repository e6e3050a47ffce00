/** What stands in at most one `Chains` at a time, under one key. */
export interface Chained<T extends Chained<T>> {
  /** Used by `Chains`. */
  next: T | null
}

/**
 * Things that are found by a key that a few may share: those stand in a chain, and whoever looks one up compares. The key: most often a hash of a text
 * that is random, as a Map by text has V8 enter each text that it is asked for in its table of texts, which costs several times as much. Where others
 * have a say in how many have one key, a chain must be kept short: they could make all stand in one.
 */
export class Chains<T extends Chained<T>, K extends number | string = number> {
  readonly #heads = new Map<K, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The first of the chain. */
  first(key: K): T | null {
    return this.#heads.get(key) ?? null
  }

  /** Whether fewer than `length` stand in the chain. */
  isShorter(key: K, length: number): boolean {
    let at = this.first(key)
    for (let left = length; left > 0; left--) {
      if (at === null) return true
      at = at.next
    }
    return false
  }

  add(key: K, item: T): void {
    item.next = this.first(key)
    this.#heads.set(key, item)
    this.#size++
  }

  /** True if it was there. */
  delete(key: K, item: T): boolean {
    let before: T | null = null
    let at = this.first(key)
    while (at !== null && at !== item) {
      before = at
      at = at.next
    }
    if (at === null) return false
    if (before !== null) before.next = item.next
    else if (item.next === null) this.#heads.delete(key)
    else this.#heads.set(key, item.next)
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
