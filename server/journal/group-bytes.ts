import { mostBytes, type RecordType, writeRecord } from '#server/journal/record.ts'

/** The lines of one group as bytes, in memory that is used again for the next group. One group at a time. */
export class GroupBytes {
  #room = Buffer.allocUnsafeSlow(FIRST_ROOM)
  #length = 0

  /** Begins a group; what was added to one that came to nothing is forgotten. */
  begin(): this {
    this.#length = 0
    return this
  }

  add(type: RecordType, json: string): void {
    const most = this.#length + mostBytes(json.length)
    if (most > this.#room.length) this.#grow(most)
    this.#length = writeRecord(this.#room, this.#length, type, json)
  }

  /** The group, one line behind the other; good until the next one begins. */
  end(): Buffer {
    const bytes = this.#room.subarray(0, this.#length)
    // A group of unusual size, after a disk that refused for long, does not keep its memory.
    if (this.#room.length > MOST_KEPT) this.#room = Buffer.allocUnsafeSlow(FIRST_ROOM)
    return bytes
  }

  #grow(least: number): void {
    const wider = Buffer.allocUnsafeSlow(Math.max(least, this.#room.length * 2))
    this.#room.copy(wider, 0, 0, this.#length)
    this.#room = wider
  }
}

const FIRST_ROOM = 65_536
const MOST_KEPT = 4_194_304
