import type { Clock, Millis } from '#base/clock.ts'
import type { Running } from '#server/keeper/kept.ts'

const beatMs: Millis = 500
/** A process that the system holds stopped gets so long: nothing else can be the matter with it. */
const stoppedMs: Millis = 1_500
/** One that does not answer for another reason may be busy, or the machine may be: killing it would make that worse for so long. */
const silentMs: Millis = 15_000

/**
 * Watches a process by pings that its event loop must answer, and tells once when it is frozen: held stopped for 1.5 s, or silent for 15 s.
 * Time in which the keeper itself stood still (a machine that slept) does not count.
 */
export class Pulse implements Disposable {
  readonly #clock: Clock
  readonly #running: Running
  readonly #onFrozen: (why: string) => void
  #timer: Disposable
  #beatAt: Millis
  /** How long it has not answered, and how long it was seen stopped, in time that the keeper itself was awake. */
  #silent: Millis = 0
  #stopped: Millis = 0

  constructor(clock: Clock, running: Running, onFrozen: (why: string) => void) {
    this.#clock = clock
    this.#running = running
    this.#onFrozen = onFrozen
    this.#beatAt = clock.now()
    running.ping?.()
    this.#timer = clock.after(beatMs, () => this.#beat())
  }

  /** It answered. */
  heard(): void {
    this.#silent = 0
    this.#stopped = 0
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }

  #beat(): void {
    const now = this.#clock.now()
    const passed = Math.min(now - this.#beatAt, 2 * beatMs)
    this.#beatAt = now
    this.#silent += passed
    this.#stopped = this.#running.isStopped?.() === true ? this.#stopped + passed : 0
    if (this.#stopped >= stoppedMs) this.#onFrozen('was held stopped')
    else if (this.#silent >= silentMs) this.#onFrozen(`did not answer for ${silentMs / 1_000} s`)
    else {
      this.#running.ping?.()
      this.#timer = this.#clock.after(beatMs, () => this.#beat())
    }
  }
}
