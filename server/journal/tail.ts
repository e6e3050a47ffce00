import type { Fact } from '#contract/facts.ts'
import type { JournalSlice, Position } from '#server/journal/face.ts'
import { MOST_PER_UNIT } from '#server/journal/record.ts'

const FIRST_ROOM = 65_536
/** More than that is not kept once the database has come along. */
const MOST_KEPT = 4_194_304
const [COMMA, OPEN, CLOSE] = [0x2c, 0x5b, 0x5d]

/**
 * The newest facts, in memory, until the database has them: what the drain normally reads. Bounded; the files have the rest. Their JSON lies side
 * by side as bytes, each behind a comma: as texts, which wait for almost half a second, the collector would copy each of them twice.
 */
export class Tail {
  #facts: Fact[] = []
  /** Where the JSON of each ends, in all that was ever put in. */
  #ends: number[] = []
  #room = Buffer.allocUnsafeSlow(FIRST_ROOM)
  /** For what is read, used again: memory that is new each time has to be had of the system page by page. */
  #read = Buffer.allocUnsafeSlow(FIRST_ROOM)
  /** Of all that was ever put in: what lies at the beginning of the room, where the first fact begins, where the last ends. */
  #base = 0
  #start = 0
  #end = 0
  #first: Position
  #maxBytes: number

  /** `first`: position of the next fact. */
  constructor(first: Position, maxBytes: number) {
    this.#first = first
    this.#maxBytes = maxBytes
  }

  push(fact: Fact, json: string): void {
    const most = 1 + json.length * MOST_PER_UNIT
    if (this.#end - this.#base + most > this.#room.length) this.#makeRoom(most)
    const at = this.#end - this.#base
    this.#room[at] = COMMA
    this.#end += 1 + this.#room.write(json, at + 1)
    this.#facts.push(fact)
    this.#ends.push(this.#end)
    if (this.#end - this.#start > this.#maxBytes) this.#forget(Math.ceil(this.#facts.length / 2))
  }

  /** Null when facts right after `after` are no longer here. */
  read(after: Position, maxBytes: number): JournalSlice | null {
    const from = after + 1 - this.#first
    if (from < 0) return null
    const begin = this.#endBefore(from)
    let to = from
    while (to < this.#ends.length && this.#endBefore(to) - begin < maxBytes) to++
    return { facts: this.#facts.slice(from, to), json: this.#array(begin, this.#endBefore(to)), upTo: this.#first + to - 1 }
  }

  forgetUpTo(position: Position): void {
    this.#forget(Math.min(this.#facts.length, position + 1 - this.#first))
  }

  #endBefore(index: number): number {
    return index === 0 ? this.#start : (this.#ends[index - 1] ?? this.#end)
  }

  #array(begin: number, end: number): Buffer {
    if (begin === end) return Buffer.from('[]')
    const length = end - begin + 1
    if (length > this.#read.length) this.#read = Buffer.allocUnsafeSlow(length * 2)
    const array = this.#read.subarray(0, length)
    this.#room.copy(array, 0, begin - this.#base, end - this.#base)
    array[0] = OPEN
    array[array.length - 1] = CLOSE
    return array
  }

  #forget(count: number): void {
    if (count <= 0) return
    this.#start = this.#endBefore(count)
    this.#facts.splice(0, count)
    this.#ends.splice(0, count)
    this.#first += count
    if (this.#facts.length > 0) return
    this.#base = this.#start
    if (this.#room.length > MOST_KEPT) this.#room = Buffer.allocUnsafeSlow(FIRST_ROOM)
    if (this.#read.length > MOST_KEPT) this.#read = Buffer.allocUnsafeSlow(FIRST_ROOM)
  }

  /** For so many bytes more: moves what is here to the beginning, of a wider room unless half of this one is free then. */
  #makeRoom(most: number): void {
    const held = this.#room.subarray(this.#start - this.#base, this.#end - this.#base)
    const isEnough = (held.length + most) * 2 <= this.#room.length
    const room = isEnough ? this.#room : Buffer.allocUnsafeSlow((held.length + most) * 2)
    held.copy(room)
    this.#room = room
    this.#base = this.#start
  }
}
