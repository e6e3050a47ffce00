import type { Millis } from '#base/clock.ts'
import { type TimerWheel, WheelEntry } from '#base/timer-wheel.ts'
import type { Timer } from '#sip/transaction/timings.ts'

/** Whose timers they are. */
export interface TimerOwner {
  onTimer(timer: Timer): void
}

/**
 * The two timers of a transaction: the one that makes it repeat itself (A, E, G, trying) and the one that limits its state
 * (B, D, F, H to M). No machine ever runs two of a kind.
 */
export class TransactionTimers {
  readonly #wheel: TimerWheel
  readonly #owner: TimerOwner
  #repeat: TransactionTimer | null = null
  #limit: TransactionTimer | null = null

  constructor(wheel: TimerWheel, owner: TimerOwner) {
    this.#wheel = wheel
    this.#owner = owner
  }

  start(name: Timer, delay: Millis): void {
    const timer = repeats(name)
      ? (this.#repeat ??= new TransactionTimer(this.#wheel, this.#owner, name))
      : (this.#limit ??= new TransactionTimer(this.#wheel, this.#owner, name))
    timer.name = name
    timer.start(delay)
  }

  stop(name: Timer): void {
    const timer = repeats(name) ? this.#repeat : this.#limit
    if (timer?.name !== name) return
    timer.stop()
    // What waits for half a minute then does so without it.
    if (timer === this.#repeat) this.#repeat = null
  }

  stopAll(): void {
    this.#repeat?.stop()
    this.#limit?.stop()
  }
}

/** Tens of thousands wait at once: one object each, without a task. */
class TransactionTimer extends WheelEntry {
  name: Timer
  readonly #owner: TimerOwner

  constructor(wheel: TimerWheel, owner: TimerOwner, name: Timer) {
    super(wheel)
    this.name = name
    this.#owner = owner
  }

  override fire(): void {
    this.#owner.onTimer(this.name)
  }
}

function repeats(timer: Timer): boolean {
  return timer === 'A' || timer === 'E' || timer === 'G' || timer === 'trying'
}
