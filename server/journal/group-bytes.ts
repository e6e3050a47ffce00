/** The bytes of one group of lines, in memory that is used again for the next group. One group at a time. */
export class GroupBytes {
  #room = Buffer.allocUnsafeSlow(FIRST_ROOM)
  #length = 0

  /** The lines, one behind the other; good until the next call. */
  of(...groups: Iterable<string>[]): Buffer {
    this.#length = 0
    for (const lines of groups) for (const line of lines) this.#add(line)
    const bytes = this.#room.subarray(0, this.#length)
    // A group of unusual size, after a disk that refused for long, does not keep its memory.
    if (this.#room.length > MOST_KEPT) this.#room = Buffer.allocUnsafeSlow(FIRST_ROOM)
    return bytes
  }

  #add(line: string): void {
    const most = this.#length + line.length * MOST_PER_UNIT
    if (most > this.#room.length) this.#grow(most)
    this.#length += this.#room.write(line, this.#length)
  }

  #grow(least: number): void {
    const wider = Buffer.allocUnsafeSlow(Math.max(least, this.#room.length * 2))
    this.#room.copy(wider, 0, 0, this.#length)
    this.#room = wider
  }
}

const FIRST_ROOM = 65_536
const MOST_KEPT = 4_194_304
/** Bytes of UTF-8 for one unit of UTF-16. */
const MOST_PER_UNIT = 3
