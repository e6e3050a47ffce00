import type { GroupBytes } from '#server/journal/group-bytes.ts'
import { MOST_PER_UNIT } from '#server/journal/record.ts'

/** Asked of the system at once: little for the first lines of a size, then as much again as there was, and this at most. */
const MOST_SLAB = 65_536
const FIRST_SLAB = 4_096
const LEAST_STEP = 64

/**
 * The JSON of kept values by key, as bytes outside of V8's heap. Most is replaced again and again, as by each refresh of a registration, after
 * seconds or minutes: as a text each line would be carried to the old generation, only to die there.
 */
export class KeptLines {
  readonly #places = new Map<string, Place>()
  /** By the size of their slots: some dozens. */
  readonly #shelves = new Map<number, Shelf>()
  /** Where a line becomes bytes, to be compared with what is there. */
  readonly #scratch = Buffer.allocUnsafeSlow(MOST_SLAB)

  /** False when just this is kept already. A line about as long as the one before takes its place, and nothing is made. */
  set(key: string, json: string): boolean {
    const isUsual = json.length * MOST_PER_UNIT <= this.#scratch.length
    const bytes = isUsual ? this.#scratch : Buffer.from(json)
    const length = isUsual ? bytes.write(json) : bytes.length
    let place = this.#places.get(key)
    if (place === undefined) {
      place = new Place(this.#slabFor(slotOf(length)))
      this.#places.set(key, place)
    } else if (place.holds(bytes, length)) return false
    else this.#fit(place, slotOf(length))
    place.fill(bytes, length)
    return true
  }

  delete(key: string): boolean {
    const place = this.#places.get(key)
    if (place === undefined) return false
    this.#places.delete(key)
    place.slab.shelf.remove(place)
    return true
  }

  /** Keys that begin with `prefix` and their JSON, in the order in which they came. */
  *jsonOf(prefix: string): Generator<[key: string, json: string]> {
    for (const [key, place] of this.#places) if (key.startsWith(prefix)) yield [key, place.text()]
  }

  /** Adds every line to a group, in the order in which the keys came. */
  addTo(group: GroupBytes): void {
    for (const { slab, start, length } of this.#places.values()) group.addBytes('K', slab.room, start, start + length)
  }

  /** Held of the system for lines. */
  get bytes(): number {
    let sum = 0
    for (const shelf of this.#shelves.values()) sum += shelf.bytes
    return sum
  }

  #fit(place: Place, slot: number): void {
    const { shelf } = place.slab
    // Lines that are a little longer and shorter by turns stay where they are.
    if (slot <= shelf.slot && slot * 2 > shelf.slot) return
    const slab = this.#slabFor(slot)
    shelf.remove(place)
    place.moveTo(slab)
  }

  #slabFor(slot: number): Slab {
    let shelf = this.#shelves.get(slot)
    if (shelf === undefined) {
      shelf = new Shelf(slot)
      this.#shelves.set(slot, shelf)
    }
    return shelf.withRoom()
  }
}

/** The size of the slot for so many bytes: in steps of 64, or of an eighth where that is more. */
function slotOf(length: number): number {
  const step = Math.max(LEAST_STEP, (1 << (31 - Math.clz32(length))) >> 3)
  return Math.max(1, Math.ceil(length / step)) * step
}

/** Where the line of a key lies. One for as long as the key is kept. */
class Place {
  slab: Slab
  #slot: number
  length = 0

  constructor(slab: Slab) {
    this.slab = slab
    this.#slot = slab.taken.push(this) - 1
  }

  get start(): number {
    return this.#slot * this.slab.shelf.slot
  }

  /** To the first slot of `slab` that is not taken. */
  moveTo(slab: Slab): void {
    this.slab = slab
    this.#slot = slab.taken.push(this) - 1
  }

  /** To the slot of another, which goes. */
  takeSlotOf(other: Place): void {
    const { start } = this
    const from = this.slab.room
    this.slab = other.slab
    this.#slot = other.#slot
    this.slab.taken[this.#slot] = this
    from.copy(this.slab.room, this.start, start, start + this.length)
  }

  holds(bytes: Buffer, length: number): boolean {
    return length === this.length && this.slab.room.compare(bytes, 0, length, this.start, this.start + length) === 0
  }

  fill(bytes: Buffer, length: number): void {
    bytes.copy(this.slab.room, this.start, 0, length)
    this.length = length
  }

  text(): string {
    return this.slab.room.toString('utf8', this.start, this.start + this.length)
  }
}

/** Memory for some slots of a shelf. Taken are always the first of them. */
interface Slab {
  readonly shelf: Shelf
  readonly room: Buffer
  /** By slot. */
  readonly taken: Place[]
}

/** All slots of one size. The last line moves to where one goes, so that no memory is held for holes. */
class Shelf {
  readonly slot: number
  /** None is empty, and all but the last are full. */
  readonly #slabs: Slab[] = []
  /** One that became empty, unless it was the only one: what comes and goes at a border does not cost a slab each time. */
  #spare: Slab | null = null

  constructor(slot: number) {
    this.slot = slot
  }

  get bytes(): number {
    return this.#slabs.reduce((sum, { room }) => sum + room.length, this.#spare?.room.length ?? 0)
  }

  /** A slab with a slot to be taken now. */
  withRoom(): Slab {
    const last = this.#slabs.at(-1)
    if (last !== undefined && last.taken.length * this.slot < last.room.length) return last
    const slab = this.#spare ?? this.#slab(last === undefined ? FIRST_SLAB : Math.min(MOST_SLAB, last.room.length * 2))
    this.#spare = null
    this.#slabs.push(slab)
    return slab
  }

  remove(place: Place): void {
    const last = this.#slabs.at(-1)
    const moved = last?.taken.pop()
    if (moved !== place) moved?.takeSlotOf(place)
    if (last?.taken.length !== 0) return
    this.#slabs.pop()
    this.#spare = this.#slabs.length === 0 ? null : last
  }

  #slab(bytes: number): Slab {
    const slots = Math.max(1, Math.trunc(bytes / this.slot))
    return { shelf: this, room: Buffer.allocUnsafeSlow(slots * this.slot), taken: [] }
  }
}
