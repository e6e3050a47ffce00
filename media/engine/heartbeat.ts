import type { Clock, Millis } from '#base/clock.ts'

/** More beats missed than this are left out: a machine that slept does not get them all at once. */
const MOST_CATCH_UP = 10

/**
 * Calls `beat` once per interval without drift: a late beat does not move the next, missed ones are caught up. Each is told when it was
 * due, not how late it is: who makes 20 ms of audio a beat can thus tell beats that are caught up from beats that were left out. Runs from
 * `start` until `beat` returns false.
 */
export class Heartbeat {
  readonly #clock: Clock
  readonly #intervalMs: Millis
  readonly #beat: (dueAt: Millis) => boolean
  #timer: Disposable | null = null
  #runs = false
  #dueAt: Millis = 0
  /** Beats left out since the start. */
  missed = 0

  constructor(clock: Clock, intervalMs: Millis, beat: (dueAt: Millis) => boolean) {
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
      const at = Math.min(this.#dueAt, now)
      this.#dueAt += this.#intervalMs
      if (!this.#beat(at)) this.#runs = false
    }
    if (this.#runs) this.#timer = this.#clock.after(Math.max(0, this.#dueAt - this.#clock.now()), this.#run)
  }
}
