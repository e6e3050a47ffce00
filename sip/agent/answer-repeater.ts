import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Core } from '#sip/agent/core.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/**
 * A 2xx of ours to an INVITE, sent again until its ACK comes: after T1, then doubling up to T2, for 64·T1 at most, over any transport,
 * because proxies on the way do not repeat it (RFC 3261 §13.3.1.4).
 */
export class AnswerRepeater {
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #onNever: () => void
  readonly #timer: WheelTimer
  readonly #giveUpAt: number
  #interval: number

  /** Starts at once; the 2xx has just been sent. `onNever`: the ACK did not come. */
  constructor(core: Core, transaction: ServerTransaction, onNever: () => void) {
    this.#core = core
    this.#transaction = transaction
    this.#onNever = onNever
    this.#interval = core.t1
    this.#giveUpAt = core.clock.now() + 64 * core.t1
    this.#timer = core.wheel.timer(() => this.#repeat())
    this.#timer.start(this.#interval)
  }

  /** CSeq of the INVITE and of the ACK that is waited for. */
  get seq(): number {
    return this.#transaction.request.headers.cseq.seq
  }

  /** The ACK came, or nobody waits for it any more. */
  stop(): void {
    this.#timer.stop()
  }

  #repeat(): void {
    if (this.#core.clock.now() >= this.#giveUpAt) {
      this.#onNever()
      return
    }
    this.#transaction.resend()
    this.#interval = Math.min(this.#interval * 2, this.#core.t2)
    this.#timer.start(Math.min(this.#interval, Math.max(0, this.#giveUpAt - this.#core.clock.now())))
  }
}
