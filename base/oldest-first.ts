/** What stands in at most one `OldestFirst` at a time: it carries its own place there, so that standing in line allocates nothing. */
export abstract class InLine<T extends InLine<T>> {
  // Set in the constructor: in a base of many classes V8 defines fields the slow way.
  /** Used by `OldestFirst`. */
  declare older: T | null
  declare younger: T | null
  declare line: OldestFirst<T> | null

  constructor() {
    this.older = null
    this.younger = null
    this.line = null
  }
}

/** Items in the order they were added, where the oldest can be taken in O(1), however many were removed before it. */
export class OldestFirst<T extends InLine<T>> {
  // Linked through the items themselves. An iterator of a Set that stands at the oldest would do, but V8 keeps every table that the Set ever
  // had, with all that was in it, for as long as an iterator has not walked through them.
  #oldest: T | null = null
  #youngest: T | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Null when there is none. */
  get oldest(): T | null {
    return this.#oldest
  }

  add(item: T): void {
    if (item.line === this) return
    if (item.line !== null) throw new Error('this stands in another line')
    item.line = this
    item.older = this.#youngest
    if (this.#youngest === null) this.#oldest = item
    else this.#youngest.younger = item
    this.#youngest = item
    this.#size++
  }

  /** Makes what is there the youngest. */
  renew(item: T): void {
    if (this.delete(item)) this.add(item)
  }

  /** True if it was there. */
  delete(item: T): boolean {
    if (item.line !== this) return false
    if (item.older === null) this.#oldest = item.younger
    else item.older.younger = item.younger
    if (item.younger === null) this.#youngest = item.older
    else item.younger.older = item.older
    // Of two that are garbage the older one, which only a major collection finds, would keep the younger, and so on: all that ever was here.
    item.line = null
    item.older = null
    item.younger = null
    this.#size--
    return true
  }

  /** Removes and gives the oldest; undefined when there is none. */
  take(): T | undefined {
    const oldest = this.#oldest
    if (oldest === null) return undefined
    this.delete(oldest)
    return oldest
  }
}
