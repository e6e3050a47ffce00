import type { Clock, Millis } from '#base/clock.ts'

/** Lets through so many a second, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'now'>
  #perSecond: number
  #tokens: number
  #at: Millis

  constructor(clock: Pick<Clock, 'now'>, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#at = clock.now()
  }

  /** From now on; what is over is lost. */
  set perSecond(perSecond: number) {
    this.#tokens = Math.min(this.level, perSecond)
    this.#perSecond = perSecond
  }

  /** What could be taken now. */
  get level(): number {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
    return this.#tokens
  }

  get isFull(): boolean {
    return this.level >= this.#perSecond
  }

  /** True when one was left, which is taken. */
  take(): boolean {
    if (this.level < 1) return false
    this.#tokens--
    return true
  }
}
