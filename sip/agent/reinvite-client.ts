import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Body, Unanswered } from '#sip/agent.ts'
import { type Core, tell } from '#sip/agent/core.ts'
import type { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { Exchange } from '#sip/agent/exchange.ts'
import type { Acknowledgements } from '#sip/agent/acknowledgements.ts'
import type { SipResponse } from '#sip/message/message.ts'

export type ReinviteResult = (result: SipResponse | Unanswered, acknowledge: (body?: Body) => void) => void

/** What the dialog around a re-INVITE decides. */
export interface ReinviteSurroundings {
  /** No other INVITE of either side is under way, so that ours may start (RFC 3261 §14.1). */
  isFree(): boolean
  /** Whether we chose the Call-ID: it tells whose retry after glare comes later. */
  readonly ownsCallId: boolean
  /** A 2xx came: target and flow may have changed. */
  onAccepted(response: SipResponse): void
  /** The peer knows the dialog no more, or is silent (RFC 3261 §12.2.1.2). */
  onGone(detail: string, silent: boolean): void
}

/** An offer that waits for its turn. */
interface Wish {
  readonly body: Body | null
  readonly onResult: ReinviteResult
  glares: number
}

/** Glares in a row after which the owner is told instead. */
const MAX_GLARES = 5
/** A re-INVITE asks a machine, not a person: nobody needs longer. */
const PATIENCE_MS = 64_000

/** The re-INVITEs that we send in one dialog, one at a time, with retries after glare (RFC 3261 §14.1). */
export class ReinviteClient {
  readonly #core: Core
  readonly #sender: DialogSender
  readonly #acks: Acknowledgements
  readonly #around: ReinviteSurroundings
  readonly #wishes: Wish[] = []
  #running: Exchange | null = null
  #retry: WheelTimer | null = null
  #patience: WheelTimer | null = null

  constructor(core: Core, sender: DialogSender, acks: Acknowledgements, around: ReinviteSurroundings) {
    this.#core = core
    this.#sender = sender
    this.#acks = acks
    this.#around = around
  }

  /** One of ours has no final answer yet. */
  get isRunning(): boolean {
    return this.#running !== null
  }

  ask(body: Body | null, onResult: ReinviteResult): void {
    this.#wishes.push({ body, onResult, glares: 0 })
    this.next()
  }

  /** Starts what waits, if it may start now. */
  next(): void {
    const [wish] = this.#wishes
    if (wish === undefined || this.#running !== null || this.#retry !== null || !this.#around.isFree()) return
    const exchange = this.#sender.send(
      'INVITE',
      { body: wish.body ?? undefined },
      {
        onResponse: (response) => this.#answered(exchange, wish, response),
        onFailed: (failure) => this.#finish(exchange, wish, failure),
      },
    )
    this.#running = exchange
    this.#patience = this.#core.wheel.after(PATIENCE_MS, () => exchange.cancel([]))
  }

  /** The dialog is over: every wish is told so. */
  end(): void {
    this.#retry?.stop()
    this.#patience?.stop()
    this.#running?.abandon()
    this.#running = null
    for (const wish of this.#wishes.splice(0)) {
      tell(this.#core, () => wish.onResult({ kind: 'unanswered', why: 'transport', detail: 'the dialog is over' }, () => undefined))
    }
  }

  #answered(exchange: Exchange, wish: Wish, response: SipResponse): void {
    if (response.status < 200) return
    if (exchange !== this.#running) this.#acks.again(response.headers.cseq.seq)
    else if (response.status === 491 && ++wish.glares <= MAX_GLARES) this.#waitOutGlare()
    else this.#finish(exchange, wish, response)
  }

  #waitOutGlare(): void {
    this.#running = null
    this.#patience?.stop()
    const ms = this.#around.ownsCallId ? 2_100 + 10 * this.#core.random.below(191) : 10 * this.#core.random.below(201)
    this.#retry = this.#core.wheel.after(ms, () => {
      this.#retry = null
      this.next()
    })
  }

  #finish(exchange: Exchange, wish: Wish, result: SipResponse | Unanswered): void {
    if (exchange !== this.#running) return
    this.#running = null
    this.#patience?.stop()
    this.#wishes.shift()
    const accepted = result.kind === 'response' && result.status < 300
    if (accepted) this.#around.onAccepted(result)
    const seq = accepted ? result.headers.cseq.seq : 0
    const acknowledge = (body?: Body): void => {
      if (accepted) this.#acks.send(seq, body, exchange.shown)
    }
    tell(this.#core, () => wish.onResult(result, acknowledge))
    const gone = goneBecause(result)
    if (gone !== null) this.#around.onGone(gone, result.kind === 'unanswered' || result.status === 408)
    else this.next()
  }
}

/** Whether a result ends the dialog that the request was sent in (RFC 3261 §12.2.1.2), and why. */
export function goneBecause(result: SipResponse | Unanswered): string | null {
  if (result.kind === 'unanswered') return result.why === 'timeout' ? result.detail : null
  return result.status === 481 || result.status === 408 ? `${result.status} ${result.reason}` : null
}
