import type { Millis } from '#base/clock.ts'
import { InLine } from '#base/oldest-first.ts'
import { type TimerWheel, WheelEntry } from '#base/timer-wheel.ts'
import type { Timer } from '#sip/transaction/timings.ts'

/**
 * A transaction that runs, with its two timers: the one that makes it repeat itself (A, E, G, trying) and the one that limits its state
 * (B, D, F, H to M). No machine ever runs two of a kind.
 */
export abstract class TimedRun<T extends InLine<T>> extends InLine<T> {
  #repeat: TransactionTimer | null = null
  #limit: TransactionTimer | null = null

  abstract onTimer(timer: Timer): void

  protected startTimer(wheel: TimerWheel, name: Timer, delay: Millis): void {
    const timer = repeats(name)
      ? (this.#repeat ??= new TransactionTimer(wheel, this, name))
      : (this.#limit ??= new TransactionTimer(wheel, this, name))
    timer.name = name
    timer.start(delay)
  }

  protected stopTimer(name: Timer): void {
    const timer = repeats(name) ? this.#repeat : this.#limit
    if (timer?.name !== name) return
    timer.stop()
    // What waits for half a minute then does so without it.
    if (timer === this.#repeat) this.#repeat = null
  }

  protected stopTimers(): void {
    this.#repeat?.stop()
    this.#limit?.stop()
  }
}

/** Tens of thousands wait at once: one object each, without a task. */
class TransactionTimer extends WheelEntry {
  name: Timer
  readonly #run: { onTimer(timer: Timer): void }

  constructor(wheel: TimerWheel, run: { onTimer(timer: Timer): void }, name: Timer) {
    super(wheel)
    this.name = name
    this.#run = run
  }

  override fire(): void {
    this.#run.onTimer(this.name)
  }
}

function repeats(timer: Timer): boolean {
  return timer === 'A' || timer === 'E' || timer === 'G' || timer === 'trying'
}
