import type { Millis } from '#base/clock.ts'
import { OldestFirst } from '#base/oldest-first.ts'
import type { TimerWheel, WheelTimer } from '#base/timer-wheel.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import { AnsweredTable, type FinalAnswer } from '#sip/transaction/answered-table.ts'
import { ClientRun } from '#sip/transaction/client.ts'
import type { Run } from '#sip/transaction/host.ts'
import type { ServerName } from '#sip/transaction/server-name.ts'

/** No sooner after the last time are the next let go of: a busy process would be woken for each tick of the wheel. */
const STEP_MS: Millis = 200

/** What only waits for retransmissions: as much as may be kept, and no more. */
export class Finished {
  readonly #wheel: TimerWheel
  readonly #most: number
  /** Those with timers of their own. */
  readonly #runs = new OldestFirst<Run>()
  /** In the order of their answers, which is that in which they end: one timer for all. */
  readonly answered: AnsweredTable
  readonly #timer: WheelTimer
  #strangers = 0

  /** `most`: how many; `memory`: for what is left of those that were answered. */
  constructor(wheel: TimerWheel, most: number, memory: KeptBytes) {
    this.#wheel = wheel
    this.#most = most
    this.answered = new AnsweredTable(memory)
    this.#timer = wheel.timer(() => this.#expire())
  }

  get size(): number {
    return this.#runs.size + this.answered.size
  }

  /** How many of them were answered to strangers. */
  get strangers(): number {
    return this.#strangers + this.answered.strangers
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

  /** It ends no earlier than those before it. */
  addAnswered(name: ServerName, answer: FinalAnswer): void {
    this.answered.add(name, answer)
    if (this.answered.size === 1) this.#wait()
    this.#makeRoom()
  }

  /** Before its time. `place`: among those that were answered. */
  endAnswered(place: number): void {
    this.answered.end(place)
    if (this.answered.size === 0) this.#timer.stop()
  }

  clearAnswered(): void {
    this.answered.clear()
    this.#timer.stop()
  }

  /** What was answered first is missed least: who asked has the answer, or has given up. Of the longer line, or the other would have no room at all. */
  #makeRoom(): void {
    if (this.size <= this.#most) return
    if (this.answered.size > this.#runs.size) this.endAnswered(this.answered.oldest)
    else this.#runs.oldest?.end()
  }

  #expire(): void {
    const now = this.#wheel.now()
    while (this.answered.endsAt <= now) this.answered.end(this.answered.oldest)
    if (this.answered.size > 0) this.#wait()
  }

  #wait(): void {
    this.#timer.start(Math.max(STEP_MS, this.answered.endsAt - this.#wheel.now()))
  }
}

function isStranger(run: Run): boolean {
  return !(run instanceof ClientRun) && !run.isProved
}
