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
  #runs = false
  #dueAt: Millis = 0
  /** Beats left out since the start. */
  missed = 0

  constructor(clock: Clock, intervalMs: Millis, beat: (now: Millis) => boolean) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#beat = beat
  }

  /** Begins, unless it beats already; within a beat it is for that to say whether another follows. */
  start(): void {
    if (this.#runs) return
    this.#runs = true
    this.#dueAt = this.#clock.now() + this.#intervalMs
    this.#timer = this.#clock.after(this.#intervalMs, this.#run)
  }

  stop(): void {
    this.#runs = false
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
    // A timer may fire a fraction of a millisecond early; that beat counts as due.
    while (this.#runs && this.#dueAt <= now + 0.5) {
      this.#dueAt += this.#intervalMs
      if (!this.#beat(now)) this.#runs = false
    }
    if (this.#runs) this.#timer = this.#clock.after(Math.max(0, this.#dueAt - this.#clock.now()), this.#run)
  }
}
