import type { GroupBytes } from '#server/journal/group-bytes.ts'
import type { RecordType } from '#server/journal/record.ts'

/** The JSON of a line, or how it is made when its group goes out; null then: what was made last says it already. */
export type Saying = string | (() => string | null)

interface Line {
  readonly type: RecordType
  /** The latest JSON that was made and is not known to be on disk. */
  made: string | null
  /** Makes what overtakes it. */
  make: (() => string | null) | null
}

/**
 * Lines of which only the latest under a key matters, until they are on the disk. What overtakes a line in vain, because there is nothing new
 * to say or it is taken back, leaves the line that was made before: nobody makes that again.
 */
export class LatestLines {
  readonly #lines = new Map<string, Line>()

  get size(): number {
    return this.#lines.size
  }

  say(type: RecordType, key: string, saying: Saying): void {
    let line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, (line = { type, made: null, make: null }))
    if (typeof saying !== 'string') line.make = saying
    else {
      line.made = saying
      line.make = null
    }
  }

  /** Takes back what is not made yet. */
  takeBack(key: string): void {
    const line = this.#lines.get(key)
    if (line === undefined) return
    line.make = null
    if (line.made === null) this.#lines.delete(key)
  }

  make(): void {
    for (const [key, line] of this.#lines) {
      if (line.make === null) continue
      line.made = line.make() ?? line.made
      line.make = null
      if (line.made === null) this.#lines.delete(key)
    }
  }

  /** Takes in what was said later: these lines came to nothing, and go out with those. */
  takeLater(later: LatestLines): void {
    for (const [key, line] of later.#lines) {
      line.made ??= this.#lines.get(key)?.made ?? null
      this.#lines.set(key, line)
    }
  }

  /** Adds all, which are made, to a group: more than once when it is to be longer, because saying the same again is harmless. */
  addTo(group: GroupBytes, leastBytes: number): void {
    do {
      for (const { type, made } of this.#lines.values()) if (made !== null) group.add(type, made)
    } while (group.length < leastBytes && this.#lines.size > 0)
  }
}
