import { Disposal } from '#base/disposal.ts'
import type { Clock, Millis } from '#base/clock.ts'

interface Entry {
  at: Millis
  order: number
  /** Null: disposed of. */
  task: (() => void) | null
}

/** A clock that moves only when told: `advance(ms)` runs every due task, in order of instant, then of creation. */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  #wallOrigin: number
  /** A binary heap: a simulated day has millions of tasks. Those disposed of stay until their time comes or they are too many. */
  #heap: Entry[] = []
  #pending = 0

  /** `wallOrigin`: the wall time, in milliseconds since the Unix epoch, at monotonic instant 0. */
  constructor(wallOrigin = 0) {
    this.#wallOrigin = wallOrigin
  }

  now(): Millis {
    return this.#now
  }

  wall(): number {
    return this.#wallOrigin + this.#now
  }

  after(ms: Millis, task: () => void): Disposable {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#order++, task }
    this.#push(entry)
    this.#pending++
    return new Disposal(() => this.#forget(entry))
  }

  /** Tasks not yet run: a leak check for tests. */
  get pending(): number {
    return this.#pending
  }

  /** Moves time forward, running what falls due, including tasks that due tasks add. */
  advance(ms: Millis): void {
    const end = this.#now + ms
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) this.#run(next)
    this.#now = end
  }

  /** As `advance`, but lets promises settle between instants. For code that awaits. */
  async advanceAsync(ms: Millis): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.advance(Math.max(0, next.at - this.#now))
      await settle()
    }
    this.advance(end - this.#now)
    await settle()
  }

  #run(entry: Entry): void {
    this.#pop()
    this.#now = Math.max(this.#now, entry.at)
    const { task } = entry
    entry.task = null
    this.#pending--
    task?.()
  }

  #forget(entry: Entry): void {
    if (entry.task === null) return
    entry.task = null
    this.#pending--
    if (this.#heap.length > 1_000 && this.#heap.length > 2 * this.#pending) {
      const living = this.#heap.filter(({ task }) => task !== null)
      this.#heap = []
      for (const each of living) this.#push(each)
    }
  }

  /** The first that is not disposed of. */
  #next(): Entry | undefined {
    let first = this.#heap[0]
    for (; first !== undefined && first.task === null; first = this.#heap[0]) this.#pop()
    return first
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    for (let above = (at - 1) >> 1; at > 0; at = above, above = (at - 1) >> 1) {
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, entry)) break
      heap[at] = parent
      heap[above] = entry
    }
  }

  #pop(): void {
    const heap = this.#heap
    const entry = heap.pop()
    if (entry === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const below = right !== undefined && left !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1
      const child = heap[below]
      if (child === undefined || isBefore(entry, child)) break
      heap[at] = child
      at = below
    }
    heap[at] = entry
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
