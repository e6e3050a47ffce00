import type { Body, EventDialog, IncomingRequest, IncomingSubscribe, KeptDialog, Unanswered } from '#sip/agent.ts'
import { inEventDialog } from '#sip/agent/abilities.ts'
import { answer, type Core, newTag, tell } from '#sip/agent/core.ts'
import { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { IncomingRequestRun } from '#sip/agent/incoming-request.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import { checkRequest } from '#sip/message/check.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** The dialog of one subscription, on the notifier's side (RFC 6665 §4.4.1): the body of `EventDialog`. */
export class EventUsage implements EventDialog, DialogUser {
  readonly #core: Core
  readonly #dialog: Dialog
  readonly #sender: DialogSender
  readonly #onRequest: (incoming: IncomingRequest) => void

  /** Registers itself for the requests of `dialog`. */
  constructor(core: Core, dialog: Dialog, onRequest: (incoming: IncomingRequest) => void) {
    this.#core = core
    this.#dialog = dialog
    this.#onRequest = onRequest
    this.#sender = new DialogSender(core, dialog, undefined)
    core.dialogs.add(dialog, this)
  }

  // The owner's side

  get remoteTarget(): string {
    return this.#dialog.remoteTarget
  }

  request(method: string, headers: HeaderLines, body?: Body): Promise<SipResponse | Unanswered> {
    const { promise, resolve } = Promise.withResolvers<SipResponse | Unanswered>()
    this.#sender.send(
      method,
      { headers, body },
      {
        onResponse: (response) => {
          if (response.status >= 200) resolve(response)
        },
        onFailed: resolve,
      },
    )
    return promise
  }

  keep(): KeptDialog {
    return this.#dialog.keep()
  }

  forget(): void {
    this.#core.dialogs.remove(this.#dialog, this)
  }

  // The peer's side

  receive(transaction: ServerTransaction): void {
    const { request, flow } = transaction
    const toTag = this.#dialog.localTag
    if (this.#dialog.order(request) !== 'next') {
      answer(this.#core, transaction, 500, { toTag, reason: 'CSeq out of order' })
      return
    }
    const refusal = checkRequest(request, inEventDialog)
    if (refusal !== null) {
      answer(this.#core, transaction, refusal.status, { toTag, headers: refusal.headers })
      return
    }
    if (this.#dialog.received(request, flow)) this.#core.homecoming.look()
    this.#dialog.refreshTarget(request.headers)
    const incoming = new IncomingRequestRun(this.#core, transaction, toTag)
    if (!tell(this.#core, () => this.#onRequest(incoming))) incoming.respond(500)
  }

  receiveAck(): void {
    // No INVITE, no ACK.
  }

  acknowledgeAgain(): void {
    // We have sent no INVITE in it.
  }

  close(): void {
    // Its transactions are closed with their layer.
  }
}

/** A SUBSCRIBE outside dialogs. */
export class IncomingSubscribeRun extends IncomingRequestRun implements IncomingSubscribe {
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #localTag: string

  constructor(core: Core, transaction: ServerTransaction) {
    const localTag = newTag(core)
    super(core, transaction, localTag)
    this.#core = core
    this.#transaction = transaction
    this.#localTag = localTag
  }

  open(onRequest: (incoming: IncomingRequest) => void): EventDialog {
    const { request, flow } = this.#transaction
    return new EventUsage(this.#core, Dialog.ofInvite(request, this.#localTag, flow), onRequest)
  }
}
