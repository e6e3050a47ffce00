import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Core } from '#sip/agent/core.ts'
import { rackOf } from '#sip/dialog/rack.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** Makes the provisional response with these headers beside its own. */
type Build = (headers: HeaderLines) => SipResponse

interface Waiting {
  readonly rseq: number
  readonly response: SipResponse
}

/** The first number is drawn from below this, so that others can follow (RFC 3262 §3). */
const FIRST_RSEQ_BELOW = 2 ** 31 - 1
/** Nobody rings in so many ways; what is more is not sent. */
const MAX_QUEUED = 16

/**
 * Provisional responses of ours to one INVITE that the caller has to acknowledge (RFC 3262 §3): numbered, one at a time, each sent again
 * after T1, then doubling, until its PRACK comes, for 64·T1 at most.
 */
export class ReliableProvisionals {
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #onNever: () => void
  readonly #timer: WheelTimer
  readonly #queue: Build[] = []
  #rseq: number
  #waiting: Waiting | null = null
  #interval = 0
  #giveUpAt = 0
  #then: (() => void) | null = null

  /** `onNever`: the caller does not acknowledge. */
  constructor(core: Core, transaction: ServerTransaction, onNever: () => void) {
    this.#core = core
    this.#transaction = transaction
    this.#onNever = onNever
    this.#timer = core.wheel.timer(() => this.#repeat())
    this.#rseq = core.random.below(FIRST_RSEQ_BELOW)
  }

  /** One waits for its PRACK. */
  get isWaiting(): boolean {
    return this.#waiting !== null
  }

  send(build: Build): void {
    if (this.#waiting === null) this.#send(build)
    else if (this.#queue.length < MAX_QUEUED) this.#queue.push(build)
  }

  /** Runs `then` when nothing is left to be acknowledged: a 2xx may not pass a session description (RFC 3262 §3). */
  whenAcknowledged(then: () => void): void {
    this.#queue.length = 0
    this.#then = then
  }

  /** Whether a PRACK is for the response that waits; then it waits no more. The caller answers the PRACK, and calls `next`. */
  acknowledged(prack: ServerTransaction): boolean {
    const rack = rackOf(prack.request.headers)
    const waiting = this.#waiting
    if (waiting === null || rack === null || rack.rseq !== waiting.rseq) return false
    if (rack.method !== 'INVITE' || rack.seq !== this.#transaction.request.headers.cseq.seq) return false
    this.#waiting = null
    this.#timer.stop()
    return true
  }

  /** Goes on with what waited behind the response that has been acknowledged. */
  next(): void {
    const build = this.#queue.shift()
    if (build !== undefined) {
      this.#send(build)
      return
    }
    const then = this.#then
    this.#then = null
    then?.()
  }

  stop(): void {
    this.#timer.stop()
    this.#queue.length = 0
    this.#then = null
    this.#waiting = null
  }

  #send(build: Build): void {
    const rseq = ++this.#rseq
    const response = build([
      ['Require', '100rel'],
      ['RSeq', String(rseq)],
    ])
    this.#waiting = { rseq, response }
    this.#interval = this.#core.t1
    this.#giveUpAt = this.#core.clock.now() + 64 * this.#core.t1
    this.#transaction.respond(response)
    this.#timer.start(this.#interval)
  }

  #repeat(): void {
    const waiting = this.#waiting
    if (waiting === null) return
    const now = this.#core.clock.now()
    if (now >= this.#giveUpAt) {
      this.stop()
      this.#onNever()
      return
    }
    this.#transaction.respond(waiting.response)
    this.#interval *= 2
    this.#timer.start(Math.min(this.#interval, this.#giveUpAt - now))
  }
}
