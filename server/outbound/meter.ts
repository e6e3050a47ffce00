import type { Clock } from '#base/clock.ts'
import type { Caps } from '#contract/documents/people.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Which cap stands against another call. */
export interface Capped {
  rule: 'spend-cap' | 'rate-cap' | 'concurrency-cap'
  detail: string
}

/** A running call on the meter. Disposing ends its cost; idempotent. */
export interface Metered extends Disposable {
  /** The callee answered: minutes count from here. `caps`, `onSpent`: when the next minute would cost more than the day has left, it is told, once. */
  answered(ratePerMinute: number, bound?: Bound): void
}

/** How much a running call may cost, and what becomes of one that would cost more. */
export interface Bound {
  caps: Caps | undefined
  /** True: it goes on, and is charged on. */
  onSpent(detail: string): boolean
  /** The minute that begins is, as things stand, the last for which there is money. Told once. */
  onLastMinute?(): void
}

/** What survives a restart: spending of a day. */
export interface KeptMeter {
  day: number
  spent: number
}

/**
 * What one company or device uses up: calls in progress, calls begun in the last minute, money in a day of the company's own
 * calendar. A started minute is charged when it begins; before the next one begins it is known whether the day has the money for it.
 */
export class Meter {
  #clock: Clock
  #offsetMs: () => number
  #onSpent: (kept: KeptMeter) => void
  /** When calls began, from `#oldest` on those of the last minute. */
  #begun: number[] = []
  #oldest = 0
  #concurrent = 0
  #day = 0
  #spent = 0

  /** `offsetMs`: of the company's wall clock from UTC now. `onSpent`: keep this. */
  constructor(clock: Clock, offsetMs: () => number, onSpent: (kept: KeptMeter) => void, kept?: KeptMeter) {
    this.#clock = clock
    this.#offsetMs = offsetMs
    this.#onSpent = onSpent
    this.#day = kept?.day ?? 0
    this.#spent = kept?.spent ?? 0
  }

  get concurrent(): number {
    return this.#concurrent
  }
  get spentToday(): number {
    this.#roll()
    return this.#spent
  }

  /** Null when one more call, whose minutes cost `ratePerMinute`, fits. */
  check(caps: Caps | undefined, ratePerMinute: number): Capped | null {
    if (caps === undefined) return null
    this.#roll()
    if (caps.concurrentCalls !== undefined && this.#concurrent >= caps.concurrentCalls) {
      return { rule: 'concurrency-cap', detail: `${caps.concurrentCalls} calls at once are allowed` }
    }
    this.#forget()
    if (caps.callsPerMinute !== undefined && this.#begun.length - this.#oldest >= caps.callsPerMinute) {
      return { rule: 'rate-cap', detail: `${caps.callsPerMinute} calls a minute are allowed` }
    }
    return this.spentBeyond(caps, ratePerMinute)
  }

  begin(): Metered {
    this.#begun.push(this.#clock.now())
    this.#forget()
    this.#concurrent++
    return new RunningCall(this, this.#clock)
  }

  /** Used by `RunningCall`, like the two after it. */
  end(): void {
    this.#concurrent--
  }

  spend(rate: number): void {
    this.#roll()
    this.#spent += rate
    this.#onSpent({ day: this.#day, spent: this.#spent })
  }

  spentBeyond(caps: Caps | undefined, rate: number): Capped | null {
    this.#roll()
    if (caps?.spendPerDay === undefined || this.#spent + rate <= caps.spendPerDay) return null
    return { rule: 'spend-cap', detail: `${caps.spendPerDay} a day are allowed, ${this.#spent.toFixed(2)} are spent` }
  }

  #roll(): void {
    const day = Math.floor((this.#clock.wall() + this.#offsetMs()) / dayMs)
    if (day === this.#day) return
    this.#day = day
    this.#spent = 0
  }

  #forget(): void {
    const since = this.#clock.now() - minuteMs
    while ((this.#begun[this.#oldest] ?? Number.POSITIVE_INFINITY) <= since) this.#oldest++
    // To take each out of the list by itself would move all that follow it, and a busy company begins many in a minute.
    if (this.#oldest < 50 || this.#oldest * 2 < this.#begun.length) return
    this.#begun = this.#begun.slice(this.#oldest)
    this.#oldest = 0
  }
}

/** One object and no closures, for as long as the call lasts. */
class RunningCall implements Metered {
  readonly #meter: Meter
  readonly #clock: Clock
  #next: Disposable | null = null
  #isOn = true
  #isTold = false
  #isWarned = false

  constructor(meter: Meter, clock: Clock) {
    this.#meter = meter
    this.#clock = clock
  }

  answered(rate: number, bound?: Bound): void {
    if (this.#isOn && this.#next === null && rate > 0) this.#charge(rate, bound)
  }

  [Symbol.dispose](): void {
    if (!this.#isOn) return
    this.#isOn = false
    this.#meter.end()
    this.#next?.[Symbol.dispose]()
  }

  #charge(rate: number, bound: Bound | undefined): void {
    this.#meter.spend(rate)
    if (!this.#isWarned && !this.#isTold && bound !== undefined && this.#meter.spentBeyond(bound.caps, rate) !== null) {
      this.#isWarned = true
      bound.onLastMinute?.()
    }
    this.#next = this.#clock.after(minuteMs, () => {
      const capped = this.#isTold ? null : this.#meter.spentBeyond(bound?.caps, rate)
      if (capped !== null) this.#isTold = true
      if (capped === null || bound?.onSpent(capped.detail) === true) this.#charge(rate, bound)
    })
  }
}
