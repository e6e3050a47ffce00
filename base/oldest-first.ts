/** Keys in the order they were added, where the oldest can be taken in O(1), however many were removed before it. */
export class OldestFirst<T> {
  readonly #items = new Set<T>()
  // A fresh iterator would walk over the holes of all that went before; one that is kept stands in front of the oldest.
  #cursor: Iterator<T> = this.#items.values()

  get size(): number {
    return this.#items.size
  }

  add(item: T): void {
    this.#items.add(item)
  }

  /** True if it was there. */
  delete(item: T): boolean {
    return this.#items.delete(item)
  }

  /** Removes and gives the oldest; undefined when there is none. */
  take(): T | undefined {
    if (this.#items.size === 0) return undefined
    let next = this.#cursor.next()
    if (next.done === true) {
      this.#cursor = this.#items.values()
      next = this.#cursor.next()
    }
    if (next.done === true) return undefined
    this.#items.delete(next.value)
    return next.value
  }
}
