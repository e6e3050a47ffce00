import type { Millis } from '#base/clock.ts'
import type { TimerWheel, WheelTimer } from '#base/timer-wheel.ts'
import type { Timer } from '#sip/transaction/timings.ts'

/**
 * The two timers of a transaction: the one that makes it repeat itself (A, E, G, trying) and the one that limits its state
 * (B, D, F, H to M). No machine ever runs two of a kind.
 */
export class TransactionTimers {
  readonly #wheel: TimerWheel
  readonly #fire: (timer: Timer) => void
  #repeat: WheelTimer | null = null
  #repeatName: Timer = 'A'
  #limit: WheelTimer | null = null
  #limitName: Timer = 'B'

  constructor(wheel: TimerWheel, fire: (timer: Timer) => void) {
    this.#wheel = wheel
    this.#fire = fire
  }

  start(timer: Timer, delay: Millis): void {
    if (repeats(timer)) {
      this.#repeatName = timer
      this.#repeat ??= this.#wheel.timer(() => this.#fire(this.#repeatName))
      this.#repeat.start(delay)
    } else {
      this.#limitName = timer
      this.#limit ??= this.#wheel.timer(() => this.#fire(this.#limitName))
      this.#limit.start(delay)
    }
  }

  stop(timer: Timer): void {
    if (timer === this.#repeatName) this.#repeat?.stop()
    if (timer === this.#limitName) this.#limit?.stop()
  }

  stopAll(): void {
    this.#repeat?.stop()
    this.#limit?.stop()
  }
}

function repeats(timer: Timer): boolean {
  return timer === 'A' || timer === 'E' || timer === 'G' || timer === 'trying'
}
