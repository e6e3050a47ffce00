import type { Clock, Millis } from '#base/clock.ts'

/** When the next flush that somebody waits for may start: a window after the start of the last one, two windows while many wait. */
export class FlushWindow {
  readonly #clock: Clock
  readonly #ms: Millis
  #lastStart = Number.NEGATIVE_INFINITY
  #isCrowded = false

  constructor(clock: Clock, ms: Millis) {
    this.#clock = clock
    this.#ms = ms
  }

  /** A flush starts that so many wait for. Returns when. */
  flushing(waiting: number): Millis {
    this.#isCrowded = waiting >= MANY
    this.#lastStart = this.#clock.now()
    return this.#lastStart
  }

  /** How long until the next may start. */
  ahead(): Millis {
    return Math.max(0, this.#lastStart + (this.#isCrowded ? this.#ms * 2 : this.#ms) - this.#clock.now())
  }
}

/** For so many, a visit to the disk costs a busy process more than they lose by waiting. */
const MANY = 4
