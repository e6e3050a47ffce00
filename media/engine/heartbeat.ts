import type { Clock, Millis } from '#base/clock.ts'

/** Beats missed beyond this are left out: a machine that slept does not get them all at once. */
const MOST_CATCH_UP = 10

/**
 * Calls `beat` once per interval without drift: a late beat does not move the next, missed ones are caught up. Runs from
 * `start` until `beat` returns false.
 */
export class Heartbeat {
  readonly #clock: Clock
  readonly #intervalMs: Millis
  readonly #beat: (now: Millis) => boolean
  #timer: Disposable | null = null
  #dueAt: Millis = 0
  /** Beats left out since the start. */
  missed = 0

  constructor(clock: Clock, intervalMs: Millis, beat: (now: Millis) => boolean) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#beat = beat
  }

  /** Begins, unless it beats already. */
  start(): void {
    if (this.#timer !== null) return
    this.#dueAt = this.#clock.now() + this.#intervalMs
    this.#timer = this.#clock.after(this.#intervalMs, this.#run)
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
  }

  #run = (): void => {
    const now = this.#clock.now()
    const behind = Math.floor((now - this.#dueAt) / this.#intervalMs)
    if (behind > MOST_CATCH_UP) {
      this.missed += behind
      this.#dueAt += behind * this.#intervalMs
    }
    this.#timer = null
    let goesOn = true
    // A timer may fire a fraction of a millisecond early; that beat counts as due.
    while (goesOn && this.#dueAt <= now + 0.5) {
      this.#dueAt += this.#intervalMs
      goesOn = this.#beat(now)
    }
    if (goesOn && this.#timer === null) this.#timer = this.#clock.after(Math.max(0, this.#dueAt - this.#clock.now()), this.#run)
  }
}
