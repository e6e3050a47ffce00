/** What stands in at most one `Chains` at a time, under one number. */
export interface Chained<T extends Chained<T>> {
  /** Used by `Chains`. */
  next: T | null
}

/**
 * Things to be found by a text that is random, by a number made of it: those with the same number, nearly always one, stand in a chain, and
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
  first(number: number): T | null {
    return this.#heads.get(number) ?? null
  }

  /** Whether fewer than `length` stand in the chain. */
  isShorter(number: number, length: number): boolean {
    let at = this.first(number)
    for (let left = length; left > 0; left--) {
      if (at === null) return true
      at = at.next
    }
    return false
  }

  add(number: number, item: T): void {
    item.next = this.first(number)
    this.#heads.set(number, item)
    this.#size++
  }

  /** True if it was there. */
  delete(number: number, item: T): boolean {
    let before: T | null = null
    let at = this.first(number)
    while (at !== null && at !== item) {
      before = at
      at = at.next
    }
    if (at === null) return false
    if (before !== null) before.next = item.next
    else if (item.next === null) this.#heads.delete(number)
    else this.#heads.set(number, item.next)
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
export function numberOf(text: string): number {
  let number = 0
  for (let i = Math.max(0, text.length - LAST); i < text.length; i++) number = (Math.imul(number, 31) + text.charCodeAt(i)) | 0
  return number
}
/** More than 32 bits of hexadecimal digits. */
const LAST = 10
