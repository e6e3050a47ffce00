import type { Fact } from '#contract/facts.ts'
import type { JournalSlice, Position } from '#server/journal/face.ts'

/** The newest facts, in memory, until the database has them: what the drain normally reads. Bounded; the files have the rest. */
export class Tail {
  #facts: Fact[] = []
  #json: string[] = []
  #bytes = 0
  #first: Position
  #maxBytes: number

  /** `first`: position of the next fact. */
  constructor(first: Position, maxBytes: number) {
    this.#first = first
    this.#maxBytes = maxBytes
  }

  push(fact: Fact, json: string): void {
    this.#facts.push(fact)
    this.#json.push(json)
    this.#bytes += json.length
    if (this.#bytes > this.#maxBytes) this.#forget(Math.ceil(this.#facts.length / 2))
  }

  /** Null when facts right after `after` are no longer here. */
  read(after: Position, maxBytes: number): JournalSlice | null {
    const from = after + 1 - this.#first
    if (from < 0) return null
    let end = from
    for (let bytes = 0; end < this.#json.length && bytes < maxBytes; end++) bytes += this.#json[end]?.length ?? 0
    return { facts: this.#facts.slice(from, end), json: this.#json.slice(from, end), upTo: this.#first + end - 1 }
  }

  forgetUpTo(position: Position): void {
    this.#forget(Math.min(this.#facts.length, position + 1 - this.#first))
  }

  #forget(count: number): void {
    if (count <= 0) return
    for (const json of this.#json.splice(0, count)) this.#bytes -= json.length
    this.#facts.splice(0, count)
    this.#first += count
  }
}
