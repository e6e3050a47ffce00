import type { Millis } from '#base/clock.ts'
import { OldestFirst } from '#base/oldest-first.ts'
import type { TimerWheel, WheelTimer } from '#base/timer-wheel.ts'
import type { Answered } from '#sip/transaction/answered.ts'
import { ClientRun } from '#sip/transaction/client.ts'
import type { Run } from '#sip/transaction/host.ts'

/** No sooner after the last time are the next let go of: a busy process would be woken for each tick of the wheel. */
const STEP_MS: Millis = 200

/** What only waits for retransmissions: as much as may be kept, and no more. */
export class Finished {
  readonly #wheel: TimerWheel
  readonly #most: number
  readonly #forget: (answered: Answered) => void
  /** Those with timers of their own. */
  readonly #runs = new OldestFirst<Run>()
  /** In the order of their answers, which is that in which they end: one timer for all. */
  readonly #answered = new OldestFirst<Answered>()
  readonly #timer: WheelTimer
  #strangers = 0

  /** `most`: how many; `forget`: what is told of each answered request that ends. */
  constructor(wheel: TimerWheel, most: number, forget: (answered: Answered) => void) {
    this.#wheel = wheel
    this.#most = most
    this.#forget = forget
    this.#timer = wheel.timer(() => this.#expire())
  }

  get size(): number {
    return this.#runs.size + this.#answered.size
  }

  /** How many of them were answered to strangers. */
  get strangers(): number {
    return this.#strangers
  }

  add(run: Run): void {
    this.#runs.add(run)
    if (isStranger(run)) this.#strangers++
    this.#makeRoom()
  }

  /** A run has ended; nothing happens when it was not here. */
  delete(run: Run): void {
    if (this.#runs.delete(run) && isStranger(run)) this.#strangers--
  }

  /** `answered` ends no earlier than those before it. */
  addAnswered(answered: Answered): void {
    this.#answered.add(answered)
    if (isStranger(answered)) this.#strangers++
    if (this.#answered.size === 1) this.#wait(answered)
    this.#makeRoom()
  }

  /** Before its time. */
  end(answered: Answered): void {
    if (!this.#answered.delete(answered)) return
    if (isStranger(answered)) this.#strangers--
    if (this.#answered.size === 0) this.#timer.stop()
    this.#forget(answered)
  }

  /** What was answered first is missed least: who asked has the answer, or has given up. Of the longer line, or the other would have no room at all. */
  #makeRoom(): void {
    if (this.size <= this.#most) return
    const oldest = this.#answered.size > this.#runs.size ? this.#answered.oldest : null
    if (oldest !== null) this.end(oldest)
    else this.#runs.oldest?.end()
  }

  #expire(): void {
    const now = this.#wheel.now()
    for (let { oldest } = this.#answered; oldest !== null; oldest = this.#answered.oldest) {
      if (oldest.until > now) return this.#wait(oldest)
      this.end(oldest)
    }
  }

  #wait({ until }: Answered): void {
    this.#timer.start(Math.max(STEP_MS, until - this.#wheel.now()))
  }
}

function isStranger(run: Run | Answered): boolean {
  return !(run instanceof ClientRun) && !run.isProved
}
