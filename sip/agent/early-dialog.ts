import type { Credentials, DialogEvents } from '#sip/agent.ts'
import { answer, type Core, contactFor, tell } from '#sip/agent/core.ts'
import { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { IncomingRequestRun } from '#sip/agent/incoming-request.ts'
import { answerCapabilities } from '#sip/agent/options.ts'
import { ReinviteServer } from '#sip/agent/reinvite-server.ts'
import type { Dialog } from '#sip/dialog/dialog.ts'
import type { SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/**
 * A dialog of an INVITE of ours that has no answer yet, made by a provisional response that wants to be acknowledged (RFC 3262 §4). There
 * is one for each fork. What the other side asks within it, an UPDATE above all, is served here until the answer comes.
 */
export class EarlyDialog implements DialogUser {
  readonly dialog: Dialog
  readonly #core: Core
  readonly #sender: DialogSender
  readonly #events: DialogEvents
  readonly #offers: ReinviteServer
  #lastRseq: number | null = null

  /** Registers itself for the requests of `dialog`. */
  constructor(core: Core, dialog: Dialog, events: DialogEvents, credentials: Credentials | undefined) {
    this.dialog = dialog
    this.#core = core
    this.#events = events
    this.#sender = new DialogSender(core, dialog, credentials)
    this.#offers = new ReinviteServer(core, {
      localTag: dialog.localTag,
      events,
      isAsking: () => false,
      onAccepted: (request) => {
        dialog.refreshTarget(request.headers)
        return []
      },
      onSettled: () => undefined,
      onNoAck: () => undefined,
    })
    core.dialogs.add(dialog, this)
  }

  /** Acknowledges a response that is the next in order; false for one that came again or too early: its sender repeats it (RFC 3262 §4). */
  acknowledge(response: SipResponse, rseq: number): boolean {
    if (this.#lastRseq !== null && rseq !== this.#lastRseq + 1) return false
    this.#lastRseq = rseq
    this.dialog.refreshTarget(response.headers)
    const rack = `${rseq} ${response.headers.cseq.seq} INVITE`
    this.#sender.send('PRACK', { headers: [['RAck', rack]] }, { onResponse: () => undefined, onFailed: () => undefined })
    return true
  }

  receive(transaction: ServerTransaction): void {
    const { request, flow } = transaction
    const toTag = this.dialog.localTag
    if (this.dialog.order(request) !== 'next') {
      answer(this.#core, transaction, 500, { toTag, reason: 'CSeq out of order' })
      return
    }
    this.dialog.received(request, flow)
    switch (request.method) {
      case 'UPDATE':
        if (request.body.length > 0) this.#offers.receive(transaction)
        else {
          this.dialog.refreshTarget(request.headers)
          answer(this.#core, transaction, 200, {
            toTag,
            headers: [['Contact', contactFor(this.#core, flow, undefined, this.dialog.secure)]],
          })
        }
        return
      case 'OPTIONS':
        answerCapabilities(this.#core, transaction, toTag)
        return
      case 'INFO':
      case 'MESSAGE':
      case 'NOTIFY':
        this.#ask(new IncomingRequestRun(this.#core, transaction, toTag))
        return
      default:
        // Who was called ends an early dialog by refusing the INVITE (RFC 3261 §15).
        answer(this.#core, transaction, 481, { toTag })
    }
  }

  receiveAck(): void {
    // The other side has sent no INVITE here.
  }

  acknowledgeAgain(): void {
    // There was no 2xx yet.
  }

  /** The INVITE has its final answer, or this fork has ended (RFC 6228 §6). */
  close(): void {
    this.#core.dialogs.remove(this.dialog, this)
    this.#offers.end()
  }

  #ask(incoming: IncomingRequestRun): void {
    if (this.#events.onRequest === undefined) incoming.respond(501)
    else if (!tell(this.#core, () => this.#events.onRequest?.(incoming))) incoming.respond(500)
  }
}
