import { InLine, OldestFirst } from '#base/oldest-first.ts'

/** A map that forgets the entry that was set longest ago when it is full. Everything it does is done in constant time. */
export class RecentMap<V> {
  readonly #capacity: number
  readonly #entries = new Map<string, Entry<V>>()
  /** In the order they were set. Not that of the map: to find its first entry V8 walks past all that were deleted before it, ten thousands. */
  readonly #line = new OldestFirst<Entry<V>>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)?.value
  }

  get size(): number {
    return this.#entries.size
  }

  /** In no order. */
  *entries(): Iterable<readonly [key: string, value: V]> {
    for (const [key, { value }] of this.#entries) yield [key, value]
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#line.delete(entry)
    return this.#entries.delete(key)
  }

  set(key: string, value: V): void {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      known.value = value
      this.#line.renew(known)
      return
    }
    const oldest = this.#entries.size >= this.#capacity ? this.#line.take() : undefined
    if (oldest !== undefined) this.#entries.delete(oldest.key)
    const entry = new Entry(key, value)
    this.#entries.set(key, entry)
    this.#line.add(entry)
  }
}

class Entry<V> extends InLine<Entry<V>> {
  readonly key: string
  value: V

  constructor(key: string, value: V) {
    super()
    this.key = key
    this.value = value
  }
}
