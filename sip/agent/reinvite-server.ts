import type { Body, DialogEvents } from '#sip/agent.ts'
import { ACCEPT, ALLOW, SUPPORTED } from '#sip/agent/abilities.ts'
import { AnswerRepeater } from '#sip/agent/answer-repeater.ts'
import { answer, answerTo, type Core, contactFor, tell } from '#sip/agent/core.ts'
import { withSessionBody } from '#sip/agent/session-body.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** What the dialog around an offer of the peer's decides. */
export interface OfferSurroundings {
  readonly localTag: string
  readonly events: Pick<DialogEvents, 'onReinvite'>
  /** An INVITE of ours is under way. */
  isAsking(): boolean
  /** The offer was taken: the peer's Contact counts. What it gives back goes into the 2xx. */
  onAccepted(request: SipRequest): HeaderLines
  /** Why a request may not refresh the session now (RFC 4028 §9); absent: any may. */
  refused?(request: SipRequest): HeaderLines | null
  /** Nothing of the peer's is pending any more. */
  onSettled(): void
  /** Our 2xx was never acknowledged. */
  onNoAck(): void
}

/** The offers of the peer's in one dialog: re-INVITE (RFC 3261 §14.2) and UPDATE (RFC 3311 §5.2). */
export class ReinviteServer {
  readonly #core: Core
  readonly #around: OfferSurroundings
  #pending: ServerTransaction | null = null
  #repeater: AnswerRepeater | null = null
  /** The 2xx that waits for its ACK carries our offer, whose answer comes in the ACK. */
  #offered = false

  constructor(core: Core, around: OfferSurroundings) {
    this.#core = core
    this.#around = around
  }

  /** An INVITE of the peer's has no final answer yet, or its 2xx no ACK. */
  get isBusy(): boolean {
    return this.#pending !== null || this.#repeater !== null
  }

  get awaitsAck(): boolean {
    return this.#repeater !== null
  }

  receive(transaction: ServerTransaction): void {
    const { toTag } = this
    if (this.#around.isAsking() || this.#offered) {
      answer(this.#core, transaction, 491, { toTag })
    } else if (this.#pending !== null) {
      answer(this.#core, transaction, 500, { toTag, headers: [['Retry-After', String(this.#core.random.below(11))]] })
    } else {
      const tooShort = this.#around.refused?.(transaction.request) ?? null
      if (tooShort === null) this.#ask(transaction)
      else answer(this.#core, transaction, 422, { toTag, headers: tooShort })
    }
  }

  /** Our 2xx to an INVITE has just been sent. `offered`: it carries an offer. */
  awaitAck(transaction: ServerTransaction, offered: boolean): void {
    this.#repeater?.stop()
    this.#offered = offered
    this.#repeater = new AnswerRepeater(this.#core, transaction, () => {
      this.#repeater = null
      this.#offered = false
      this.#around.onNoAck()
    })
  }

  /** An ACK came; true if it is the one that was waited for. */
  acknowledged(ack: SipRequest): boolean {
    if (this.#repeater === null || this.#repeater.seq !== ack.headers.cseq.seq) return false
    this.#repeater.stop()
    this.#repeater = null
    this.#offered = false
    return true
  }

  /** The dialog is over. What is pending is answered; a 2xx is not repeated any more. */
  end(): void {
    this.#repeater?.stop()
    this.#repeater = null
    const pending = this.#pending
    this.#pending = null
    if (pending !== null) answer(this.#core, pending, 487, { toTag: this.toTag })
  }

  get toTag(): string {
    return this.#around.localTag
  }

  #ask(transaction: ServerTransaction): void {
    const request = withSessionBody(transaction.request)
    if (request === null) {
      answer(this.#core, transaction, 415, { toTag: this.toTag, headers: [['Accept', ACCEPT]] })
      return
    }
    this.#pending = transaction
    transaction.events.onCancelled = () => this.#settle(transaction, () => answer(this.#core, transaction, 487, { toTag: this.toTag }))
    const reject = (status: number, reason?: string): void =>
      this.#settle(transaction, () => answer(this.#core, transaction, status, { reason, toTag: this.toTag }))
    const accept = (body: Body | null): void => this.#settle(transaction, () => this.#accept(transaction, body))
    if (!tell(this.#core, () => this.#around.events.onReinvite(request, { accept, reject }))) reject(500)
  }

  #accept(transaction: ServerTransaction, body: Body | null): void {
    const { request, flow } = transaction
    const more = this.#around.onAccepted(request)
    const headers: HeaderLines = [['Contact', contactFor(this.#core, flow)], ['Allow', ALLOW], ['Supported', SUPPORTED], ...more]
    transaction.respond(answerTo(this.#core, request, 200, { toTag: this.toTag, headers, body }))
    if (request.method === 'INVITE') this.awaitAck(transaction, request.body.length === 0 && body !== null)
  }

  /** Whatever comes first settles it: the owner's word or a CANCEL. */
  #settle(transaction: ServerTransaction, how: () => void): void {
    if (this.#pending !== transaction) return
    this.#pending = null
    how()
    this.#around.onSettled()
  }
}
