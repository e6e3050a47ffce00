/** A map that forgets the entry that was set longest ago when it is full. */
export class RecentMap<V> {
  readonly #capacity: number
  readonly #entries = new Map<string, V>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<[string, V]> {
    return this.#entries.entries()
  }

  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    const [oldest] = this.#entries.size >= this.#capacity ? this.#entries.keys() : []
    if (oldest !== undefined) this.#entries.delete(oldest)
    this.#entries.set(key, value)
  }
}
