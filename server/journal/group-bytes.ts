import { AROUND_JSON, closeRecord, JSON_AT, MOST_PER_UNIT, type RecordType } from '#server/journal/record.ts'

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
    this.#makeRoom(json.length * MOST_PER_UNIT)
    this.#close(type, this.#room.write(json, this.#length + JSON_AT))
  }

  /** As `add`, of JSON that lies in UTF-8 in `from`. */
  addBytes(type: RecordType, from: Buffer, start: number, end: number): void {
    this.#makeRoom(end - start)
    this.#close(type, from.copy(this.#room, this.#length + JSON_AT, start, end))
  }

  /** Bytes of what was added. */
  get length(): number {
    return this.#length
  }

  /** The group, one line behind the other; good until the next one begins. */
  end(): Buffer {
    const bytes = this.#room.subarray(0, this.#length)
    // A group of unusual size, after a disk that refused for long, does not keep its memory.
    if (this.#room.length > MOST_KEPT) this.#room = Buffer.allocUnsafeSlow(FIRST_ROOM)
    return bytes
  }

  #close(type: RecordType, jsonBytes: number): void {
    this.#length = closeRecord(this.#room, this.#length, type, this.#length + JSON_AT + jsonBytes)
  }

  #makeRoom(jsonBytes: number): void {
    const least = this.#length + jsonBytes + AROUND_JSON
    if (least <= this.#room.length) return
    const wider = Buffer.allocUnsafeSlow(Math.max(least, this.#room.length * 2))
    this.#room.copy(wider, 0, 0, this.#length)
    this.#room = wider
  }
}

const FIRST_ROOM = 65_536
const MOST_KEPT = 4_194_304
