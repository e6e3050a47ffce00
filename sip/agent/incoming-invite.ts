import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Body, DialogEvents, Flow, IncomingInvite, InviteDialog, Reason } from '#sip/agent.ts'
import { ACCEPT, ALLOW, SUPPORTED } from '#sip/agent/abilities.ts'
import { answer, answerTo, type Core, contactFor, newTag, tell } from '#sip/agent/core.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { InviteUsage } from '#sip/agent/invite-usage.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** A provisional response is repeated each minute, so that no proxy on the way takes the call for dead (RFC 3261 §13.3.1.1). */
const PROGRESS_MS = 60_000

/** An INVITE that we received, up to its final answer: the early dialog (RFC 3261 §13.3). */
export class IncomingInviteRun implements IncomingInvite, DialogUser {
  readonly request: SipRequest
  readonly flow: Flow
  onCancelled: (reason: Reason | null) => void = () => undefined
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #dialog: Dialog
  readonly #toTag: string
  #open = true
  #repeat: WheelTimer | null = null

  /** `request`: the INVITE as the owner shall see it. Registers itself for the requests of the early dialog. */
  constructor(core: Core, transaction: ServerTransaction, request: SipRequest) {
    this.request = request
    this.flow = transaction.flow
    this.#core = core
    this.#transaction = transaction
    this.#toTag = newTag(core)
    this.#dialog = Dialog.ofInvite(transaction.request, this.#toTag, transaction.flow)
    core.dialogs.add(this.#dialog.key, this)
    core.ringing.add(this.flow.connection, this)
    transaction.events.onCancelled = (cancel) => this.#cancelled(cancel.headers.get('Reason') ?? null)
    transaction.events.onFailed = () => this.connectionLost()
  }

  progress(status: number, body?: Body): void {
    if (!this.#open || status <= 100 || status >= 200) return
    this.#transaction.respond(
      answerTo(this.#core, this.#transaction.request, status, { toTag: this.#toTag, headers: this.#headers(), body }),
    )
    this.#repeat ??= this.#core.wheel.timer(() => {
      this.#transaction.resend()
      this.#repeat?.start(PROGRESS_MS)
    })
    this.#repeat.start(PROGRESS_MS)
  }

  accept(body: Body | null, events: DialogEvents): InviteDialog {
    if (!this.#open) return this.#tooLate(events)
    this.#close()
    const usage = new InviteUsage(this.#core, this.#dialog, events)
    this.#transaction.events.onCancelled = () => undefined
    // A 2xx that cannot be delivered over a broken connection is repeated like a lost one, until the ACK is overdue.
    this.#transaction.events.onFailed = () => undefined
    const headers: HeaderLines = [...this.#headers(), ['Supported', SUPPORTED], ['Accept', ACCEPT]]
    this.#transaction.respond(answerTo(this.#core, this.#transaction.request, 200, { toTag: this.#toTag, headers, body }))
    usage.offers.awaitAck(this.#transaction, this.request.body.length === 0 && body !== null)
    return usage
  }

  reject(status: number, reason?: string, headers: HeaderLines = []): void {
    if (!this.#open) return
    this.#leave()
    answer(this.#core, this.#transaction, status, { toTag: this.#toTag, reason, headers })
  }

  /** The caller's connection is gone: nobody is there to be answered. */
  connectionLost(): void {
    this.#cancelled(null)
  }

  // Requests of the early dialog

  receive(transaction: ServerTransaction): void {
    const { request } = transaction
    const toTag = this.#toTag
    if (this.#dialog.order(request) !== 'next') {
      answer(this.#core, transaction, 500, { toTag, reason: 'CSeq out of order' })
      return
    }
    this.#dialog.received(request, transaction.flow)
    if (request.method === 'BYE') {
      // A caller may end an early dialog by BYE as well (RFC 3261 §15).
      answer(this.#core, transaction, 200, { toTag })
      this.#cancelled(request.headers.get('Reason') ?? null)
    } else if (request.method === 'OPTIONS') {
      answer(this.#core, transaction, 200, {
        toTag,
        headers: [
          ['Allow', ALLOW],
          ['Accept', ACCEPT],
          ['Supported', SUPPORTED],
        ],
      })
    } else {
      // The offer of the INVITE has no answer yet (RFC 3261 §14.2, RFC 3311 §5.2).
      answer(this.#core, transaction, 500, { toTag, headers: [['Retry-After', String(this.#core.random.below(11))]] })
    }
  }

  receiveAck(): void {
    // No 2xx of ours waits for an ACK yet.
  }

  acknowledgeAgain(): void {
    // We sent no INVITE here.
  }

  close(): void {
    this.#close()
  }

  #cancelled(reason: Reason | null): void {
    if (!this.#open) return
    this.#leave()
    answer(this.#core, this.#transaction, 487, { toTag: this.#toTag })
    tell(this.#core, () => this.onCancelled(reason))
  }

  #headers(): HeaderLines {
    return [
      ['Contact', contactFor(this.#core, this.flow, undefined, this.#dialog.secure)],
      ['Allow', ALLOW],
    ]
  }

  #leave(): void {
    this.#close()
    this.#core.dialogs.remove(this.#dialog.key, this)
  }

  #close(): void {
    this.#open = false
    this.#repeat?.stop()
    this.#core.ringing.remove(this.flow.connection, this)
  }

  /** The INVITE was cancelled while the owner was making its answer: the dialog it gets is over already, and tells so. */
  #tooLate(events: DialogEvents): InviteDialog {
    const usage = new InviteUsage(this.#core, this.#dialog, events)
    usage.close()
    this.#core.dialogs.remove(this.#dialog.key, usage)
    return usage
  }
}
