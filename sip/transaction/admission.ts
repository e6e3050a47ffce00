import type { Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { TransactionOptions } from '#sip/transaction/transaction.ts'
import { TokenBucket } from '#sip/transport/token-bucket.ts'

/** `serve` it, `shed` it with 503 and Retry-After, or `drop` it without a word. */
export type Admission = 'serve' | 'shed' | 'drop'

/** Lateness that lasts so long is no hiccup. */
const STANDING_MS: Millis = 500
/** For so long a wheel that was late is taken to be late still, when nobody asks in between. */
const UNSEEN_MS: Millis = 1_000

/**
 * Decides which new requests are served. What belongs to a call that exists always is, so that calls can end and the load can fall;
 * emergency calls are; other new ones are shed while the process is overloaded or draining.
 */
export class Gate {
  readonly #wheel: TimerWheel
  readonly #options: TransactionOptions
  readonly #told: TokenBucket
  #late = false
  /** When the turns of the wheel began to be late; null while they are not. */
  #lateSince: Millis | null = null
  /** When they were last seen to be. */
  #lateAt: Millis = 0
  #drainRetryAfter: number | null = null

  constructor(wheel: TimerWheel, options: TransactionOptions) {
    this.#wheel = wheel
    this.#options = options
    this.#told = new TokenBucket(wheel, options.shedPerSecond)
  }

  /** Seconds for Retry-After while no new INVITEs are taken; null to take them again. */
  drain(retryAfterSeconds: number | null): void {
    this.#drainRetryAfter = retryAfterSeconds
  }

  /** What a request that is shed is told, seconds. */
  get retryAfter(): number {
    return this.#drainRetryAfter ?? this.#options.retryAfter
  }

  /** `unfinished`: transactions that exist now and do more than wait for retransmissions. */
  admit(request: SipRequest, unfinished: number): Admission {
    const { maxTransactions, isPriority } = this.#options
    if (unfinished >= 2 * maxTransactions) return 'drop'
    if (request.method === 'CANCEL' || request.method === 'BYE' || request.headers.to.tag !== undefined) return 'serve'
    const draining = this.#drainRetryAfter !== null && request.method === 'INVITE'
    const strained = unfinished >= maxTransactions || this.#isLate() || this.#options.isStrained?.() === true
    if (!draining && !strained) return 'serve'
    if (isPriority?.(request) === true) return 'serve'
    return this.#told.take() ? 'shed' : 'drop'
  }

  /**
   * A queue that stands is overload; one hiccup, of the disk, of the garbage collector, of a neighbour on the machine, is not: what gathered
   * meanwhile is served at once after it (the insight of RFC 8289 §3.1). With hysteresis: what began at the limit lasts until half of it.
   */
  #isLate(): boolean {
    const { maxLateness } = this.#options
    const now = this.#wheel.now()
    if (now - this.#lateAt > UNSEEN_MS) {
      // Between two hiccups of which each met a request, and none came in between, nothing has stood.
      this.#lateSince = null
      this.#late = false
    }
    if (this.#wheel.latenessMs <= (this.#late ? maxLateness / 2 : maxLateness)) {
      this.#lateSince = null
      this.#late = false
      return false
    }
    this.#lateAt = now
    this.#lateSince ??= now
    this.#late ||= now - this.#lateSince >= STANDING_MS
    return this.#late
  }
}
