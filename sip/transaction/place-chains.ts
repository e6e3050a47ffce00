/** No place. */
export const NOWHERE = -1

/** Places, numbers from 0 on, that are found by a hash: those whose hashes share the lower digits stand in one chain. */
export class PlaceChains {
  /** By place. */
  readonly hash: Int32Array
  readonly #mask: number
  readonly #heads: Int32Array
  readonly #next: Int32Array
  readonly #isIn: Uint8Array

  /** `room`: places, and chains, a power of two. */
  constructor(room: number) {
    this.#mask = room - 1
    this.hash = new Int32Array(room)
    this.#heads = new Int32Array(room).fill(NOWHERE)
    this.#next = new Int32Array(room)
    this.#isIn = new Uint8Array(room)
  }

  has(place: number): boolean {
    return this.#isIn[place] === 1
  }

  /** The one in the chain of `hash` that was added last. */
  first(hash: number): number {
    return this.#heads[hash & this.#mask] ?? NOWHERE
  }

  /** The one that was added to its chain before it. */
  after(place: number): number {
    return this.#next[place] ?? NOWHERE
  }

  /** `place` is in no chain. */
  add(place: number, hash: number): void {
    this.hash[place] = hash
    this.#next[place] = this.first(hash)
    this.#heads[hash & this.#mask] = place
    this.#isIn[place] = 1
  }

  /** The `nth` of the chain of `hash`, from 0 on. */
  nth(hash: number, nth: number): number {
    let place = this.first(hash)
    for (let left = nth; left > 0 && place !== NOWHERE; left--) place = this.after(place)
    return place
  }

  /** Nothing happens when it is in no chain. */
  delete(place: number): void {
    if (!this.has(place)) return
    this.#isIn[place] = 0
    const hash = this.hash[place] ?? 0
    let before = NOWHERE
    for (let at = this.first(hash); at !== place; at = this.after(at)) before = at
    if (before === NOWHERE) this.#heads[hash & this.#mask] = this.after(place)
    else this.#next[before] = this.after(place)
  }
}
