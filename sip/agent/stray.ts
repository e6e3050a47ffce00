import type { Credentials, Flow } from '#sip/agent.ts'
import { Acknowledgements } from '#sip/agent/acknowledgements.ts'
import { answer, type Core, tell } from '#sip/agent/core.ts'
import { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** A dialog that nobody here wants: its 2xx is acknowledged, as often as it comes, and the dialog ended (RFC 3261 §13.2.2.4). */
class UnwantedDialog implements DialogUser {
  readonly #core: Core
  readonly #acks: Acknowledgements

  constructor(core: Core, dialog: Dialog, credentials: Credentials | undefined) {
    this.#core = core
    const sender = new DialogSender(core, dialog, credentials)
    this.#acks = new Acknowledgements(sender)
    core.dialogs.add(dialog, this)
    this.#acks.send(dialog.localSeq, undefined, [])
    sender.send('BYE', {}, { onResponse: () => undefined, onFailed: () => undefined })
    // So long a 2xx may be repeated.
    core.wheel.after(64 * core.t1, () => core.dialogs.remove(dialog, this))
  }

  acknowledgeAgain(seq: number): void {
    this.#acks.again(seq)
  }

  receive(transaction: ServerTransaction): void {
    answer(this.#core, transaction, transaction.request.method === 'BYE' ? 200 : 481)
  }

  receiveAck(_ack: SipRequest): void {
    // Nothing of ours waits for an ACK in a dialog that we end.
  }

  close(): void {
    // The transactions are closed with their layer.
  }
}

/** Acknowledges and ends a dialog that a 2xx made and nobody wants; a 2xx that comes again is only acknowledged again. */
export function endUnwanted(core: Core, dialog: Dialog, credentials?: Credentials): void {
  const known = core.dialogs.get(dialog)
  if (known === undefined) new UnwantedDialog(core, dialog, credentials)
  else known.acknowledgeAgain(dialog.localSeq)
}

/** Strays are ended at most so often, so that nobody can use us to send traffic to others. */
const STRAYS_PER_SECOND = 50

/**
 * Responses that belong to no transaction. A 2xx to an INVITE is either a late repetition in a dialog that lives, or an answer to
 * an earlier life of ours: the peer talks to nobody, and is told so. The transaction layer has seen that its Via is ours.
 */
export class Strays {
  readonly #core: Core
  #second = 0
  #ended = 0

  constructor(core: Core) {
    this.#core = core
  }

  receive(response: SipResponse, flow: Flow): void {
    const { headers, status } = response
    if (status < 200 || status >= 300 || headers.cseq.method !== 'INVITE') return
    const known = this.#core.dialogs.ofResponse(headers)
    if (known !== undefined) known.acknowledgeAgain(headers.cseq.seq)
    else if (headers.to.tag !== undefined && this.#mayEnd()) this.#end(response, flow)
  }

  #end(response: SipResponse, flow: Flow): void {
    this.#core.counts.strays++
    // Over the flow that it came over and nowhere else: a stray must not make us send to where it says.
    endUnwanted(this.#core, Dialog.ofResponse(response, response.headers.to.uri, flow, true))
    tell(this.#core, () => this.#core.policy.onStray?.(response.headers.callId))
  }

  #mayEnd(): boolean {
    const second = Math.floor(this.#core.clock.now() / 1000)
    if (second !== this.#second) this.#ended = 0
    this.#second = second
    return ++this.#ended <= STRAYS_PER_SECOND
  }
}
