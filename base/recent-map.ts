import { type Chained, Chains } from '#base/chains.ts'
import { flatText } from '#base/flat-text.ts'
import { InLine, OldestFirst } from '#base/oldest-first.ts'
import { textHash } from '#base/text-hash.ts'

/** A map that forgets the entry that was set longest ago when it is full. Everything it does is done in constant time. */
export class RecentMap<V> {
  readonly #capacity: number
  /** Keys are most often put together for each look-up, and for a Map V8 would enter each of them in its table of texts. */
  readonly #entries = new Chains<Entry<V>>()
  /** In the order they were set. */
  readonly #line = new OldestFirst<Entry<V>>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): V | undefined {
    return this.#find(key)?.value
  }

  get size(): number {
    return this.#entries.size
  }

  /** In no order. */
  *entries(): Iterable<readonly [key: string, value: V]> {
    for (const { key, value } of this.#entries.all()) yield [key, value]
  }

  delete(key: string): boolean {
    const entry = this.#find(key)
    if (entry === null) return false
    this.#line.delete(entry)
    return this.#entries.delete(textHash(key), entry)
  }

  set(key: string, value: V): void {
    const hash = textHash(key)
    const known = this.#find(key, hash)
    if (known !== null) {
      known.value = value
      this.#line.renew(known)
      return
    }
    const oldest = this.#entries.size >= this.#capacity ? this.#line.take() : undefined
    if (oldest !== undefined) this.#entries.delete(textHash(oldest.key), oldest)
    const entry = new Entry(flatText(key), value)
    this.#entries.add(hash, entry)
    this.#line.add(entry)
  }

  #find(key: string, hash = textHash(key)): Entry<V> | null {
    let entry = this.#entries.first(hash)
    while (entry !== null && entry.key !== key) entry = entry.next
    return entry
  }
}

class Entry<V> extends InLine<Entry<V>> implements Chained<Entry<V>> {
  next: Entry<V> | null = null
  readonly key: string
  value: V

  constructor(key: string, value: V) {
    super()
    this.key = key
    this.value = value
  }
}
