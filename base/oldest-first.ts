/** Keys in the order they were added, where the oldest can be taken in O(1), however many were removed before it. */
export class OldestFirst<T> {
  // A list of our own beside the look-up. An iterator of a Set that stands at the oldest would do, but V8 keeps every table that the Set ever
  // had, with all that was in it, for as long as an iterator has not walked through them.
  readonly #links = new Map<T, Link<T>>()
  #first: Link<T> | null = null
  #last: Link<T> | null = null

  get size(): number {
    return this.#links.size
  }

  add(item: T): void {
    if (this.#links.has(item)) return
    const link: Link<T> = { item, previous: this.#last, next: null }
    this.#links.set(item, link)
    if (this.#last === null) this.#first = link
    else this.#last.next = link
    this.#last = link
  }

  /** Makes what is there the youngest. */
  renew(item: T): void {
    if (this.delete(item)) this.add(item)
  }

  /** True if it was there. */
  delete(item: T): boolean {
    const link = this.#links.get(item)
    if (link === undefined) return false
    this.#links.delete(item)
    if (link.previous === null) this.#first = link.next
    else link.previous.next = link.next
    if (link.next === null) this.#last = link.previous
    else link.next.previous = link.previous
    // Of two links that are garbage the older one, which only a major collection finds, would keep the younger, and so on: all that ever was here.
    link.previous = null
    link.next = null
    return true
  }

  /** Removes and gives the oldest; undefined when there is none. */
  take(): T | undefined {
    const oldest = this.#first
    if (oldest === null) return undefined
    this.delete(oldest.item)
    return oldest.item
  }
}

interface Link<T> {
  readonly item: T
  previous: Link<T> | null
  next: Link<T> | null
}
