import type { Clock, Millis } from '#base/clock.ts'

interface Entry {
  at: Millis
  order: number
  task: () => void
}

/** A clock that moves only when told: `advance(ms)` runs every due task, in order of instant, then of creation. */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  #wallOrigin: number
  #entries: Entry[] = []

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
    this.#entries.push(entry)
    return { [Symbol.dispose]: () => void (this.#entries = this.#entries.filter((e) => e !== entry)) }
  }

  /** Tasks not yet run: a leak check for tests. */
  get pending(): number {
    return this.#entries.length
  }

  /** Moves time forward, running what falls due, including tasks that due tasks add. */
  advance(ms: Millis): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#entries
        .filter((e) => e.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)
        .at(0)
      if (next === undefined) break
      this.#entries = this.#entries.filter((e) => e !== next)
      this.#now = Math.max(this.#now, next.at)
      next.task()
    }
    this.#now = end
  }

  /** As `advance`, but lets promises settle between tasks. For code that awaits. */
  async advanceAsync(ms: Millis): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const due = this.#entries.filter((e) => e.at <= end)
      if (due.length === 0) break
      const next = Math.min(...due.map((e) => e.at))
      this.advance(Math.max(0, next - this.#now))
      await settle()
    }
    this.advance(end - this.#now)
    await settle()
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
