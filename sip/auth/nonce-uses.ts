import type { Millis } from '#base/clock.ts'

/** UDP may reorder: so many counts below the highest are still taken, once each. */
const WINDOW = 32
const FIRST_ROOM = 256

/**
 * With which counts each nonce has been used, in the order of first use. A ring of plain numbers, which grows up to what is needed: an object for
 * each of a hundred thousand would be a good part of all that the garbage collector of a busy registrar walks through.
 */
export class NonceUses {
  /** By serial number, its number in the order of first use. */
  readonly #numbers = new Map<number, number>()
  #first = 0
  #next = 0
  #serials = new Float64Array(FIRST_ROOM)
  #untils = new Float64Array(FIRST_ROOM)
  #highest = new Uint32Array(FIRST_ROOM)
  /** Bit n: count `highest` - n was seen. */
  #seen = new Int32Array(FIRST_ROOM)

  get size(): number {
    return this.#next - this.#first
  }

  has(serial: number): boolean {
    return this.#numbers.has(serial)
  }

  /** The nonce that was used first among those that are here, and until when it is good; only when there is one. */
  get oldest(): { readonly serial: number; readonly until: Millis } {
    const place = this.#placeOf(this.#first)
    return { serial: this.#serials[place] ?? 0, until: this.#untils[place] ?? 0 }
  }

  /** One that is not there. */
  add(serial: number, until: Millis): void {
    if (this.size === this.#serials.length) this.#grow()
    const place = this.#placeOf(this.#next)
    this.#serials[place] = serial
    this.#untils[place] = until
    this.#highest[place] = 0
    this.#seen[place] = 0
    this.#numbers.set(serial, this.#next++)
  }

  dropOldest(): void {
    if (this.size > 0) this.#numbers.delete(this.#serials[this.#placeOf(this.#first++)] ?? 0)
  }

  /** Takes count `nc`, 0 to 2^32 - 1, of a nonce that is here; false when it was taken before, or is too far below the highest to be known. */
  mark(serial: number, nc: number): boolean {
    const place = this.#placeOf(this.#numbers.get(serial) ?? 0)
    const ahead = nc - (this.#highest[place] ?? 0)
    const seen = this.#seen[place] ?? 0
    if (ahead > 0) {
      this.#seen[place] = ahead >= WINDOW ? 1 : (seen << ahead) | 1
      this.#highest[place] = nc
      return true
    }
    const bit = 1 << -ahead
    if (-ahead >= WINDOW || nc < 1 || (seen & bit) !== 0) return false
    this.#seen[place] = seen | bit
    return true
  }

  #placeOf(number: number): number {
    return number % this.#serials.length
  }

  #grow(): void {
    const before = { room: this.#serials.length, serials: this.#serials, untils: this.#untils, highest: this.#highest, seen: this.#seen }
    const room = before.room * 2
    this.#serials = new Float64Array(room)
    this.#untils = new Float64Array(room)
    this.#highest = new Uint32Array(room)
    this.#seen = new Int32Array(room)
    for (let number = this.#first; number < this.#next; number++) {
      const [from, to] = [number % before.room, number % room]
      this.#serials[to] = before.serials[from] ?? 0
      this.#untils[to] = before.untils[from] ?? 0
      this.#highest[to] = before.highest[from] ?? 0
      this.#seen[to] = before.seen[from] ?? 0
    }
  }
}
