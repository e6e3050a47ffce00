import type { Body, Credentials, DialogEnd, DialogEvents, Flow, InviteDialog, KeptDialog, Reason, Unanswered } from '#sip/agent.ts'
import { Acknowledgements } from '#sip/agent/acknowledgements.ts'
import { type Core, tell } from '#sip/agent/core.ts'
import { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { receiveInDialog } from '#sip/agent/in-dialog.ts'
import { goneBecause, ReinviteClient, type ReinviteResult } from '#sip/agent/reinvite-client.ts'
import { ReinviteServer } from '#sip/agent/reinvite-server.ts'
import type { Dialog } from '#sip/dialog/dialog.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** How a usage comes to be. */
interface Birth {
  readonly credentials?: Credentials | undefined
  /** We sent the INVITE; its number and the credentials it showed. */
  readonly asCaller?: { readonly seq: number; readonly authorization: HeaderLines }
}

/**
 * `talking`: both sides may send. `leaving`: the owner hung up, but our BYE must wait for the ACK of our 2xx (RFC 3261 §15).
 * `ending`: our BYE is under way. `ended`: over.
 */
type State = 'talking' | 'leaving' | 'ending' | 'ended'

/** A confirmed dialog of an INVITE and all that goes on in it: the body of `InviteDialog`. */
export class InviteUsage implements InviteDialog, DialogUser {
  readonly core: Core
  readonly dialog: Dialog
  readonly events: DialogEvents
  readonly offers: ReinviteServer
  readonly #sender: DialogSender
  readonly #acks: Acknowledgements
  readonly #reinvites: ReinviteClient
  readonly #caller: Birth['asCaller']
  #state: State = 'talking'
  #leaveReason: Reason | undefined

  /** Registers itself for the requests of `dialog`. */
  constructor(core: Core, dialog: Dialog, events: DialogEvents, birth: Birth = {}) {
    this.core = core
    this.dialog = dialog
    this.events = events
    this.#caller = birth.asCaller
    this.#sender = new DialogSender(core, dialog, birth.credentials)
    this.#acks = new Acknowledgements(this.#sender)
    this.#reinvites = new ReinviteClient(core, this.#sender, this.#acks, {
      ownsCallId: birth.asCaller !== undefined,
      isFree: () => this.#state === 'talking' && !this.offers.isBusy && !this.#owesAck,
      onAccepted: (response) => this.#refreshed(response),
      onGone: (detail, silent) => this.gone(detail, silent),
    })
    this.offers = new ReinviteServer(core, {
      localTag: dialog.localTag,
      events,
      isAsking: () => this.#reinvites.isRunning,
      onAccepted: (request) => this.#refreshed(request),
      onSettled: () => this.#reinvites.next(),
      onNoAck: () => this.#neverAcknowledged(),
    })
    core.dialogs.add(dialog.key, this)
  }

  get callId(): string {
    return this.dialog.callId
  }

  get localTag(): string {
    return this.dialog.localTag
  }

  get remoteTag(): string {
    return this.dialog.remoteTag
  }

  get remoteTarget(): string {
    return this.dialog.remoteTarget
  }

  /** The peer or the owner has ended it. */
  get isOver(): boolean {
    return this.#state !== 'talking'
  }

  // The owner's side

  acknowledge(body?: Body): void {
    if (this.#caller === undefined || this.#state === 'ended') return
    this.#acks.send(this.#caller.seq, body, this.#caller.authorization)
    this.#reinvites.next()
  }

  reinvite(body: Body | null, onResult: ReinviteResult): void {
    if (this.isOver) tell(this.core, () => onResult(over, () => undefined))
    else this.#reinvites.ask(body, onResult)
    this.changed()
  }

  async request(method: string, headers: HeaderLines, body?: Body): Promise<SipResponse | Unanswered> {
    if (this.isOver) return over
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
    this.changed()
    const result = await promise
    // A request that nobody answers does not end a call: some peers drop what they do not know (a deviation from RFC 3261 §12.2.1.2).
    const gone = result.kind === 'response' ? goneBecause(result) : null
    if (gone !== null) this.gone(gone, false)
    else if (result.kind === 'response' && result.status < 300 && method === 'UPDATE') this.#refreshed(result)
    return result
  }

  bye(reason?: Reason): void {
    if (this.#state !== 'talking') return
    this.#leaveReason = reason
    this.#state = 'leaving'
    this.#reinvites.end()
    if (this.#owesAck) this.acknowledge()
    if (!this.offers.awaitsAck) this.#sendBye()
  }

  keep(): KeptDialog {
    return this.dialog.keep()
  }

  // The peer's side

  receive(transaction: ServerTransaction): void {
    receiveInDialog(this, transaction)
  }

  receiveAck(ack: SipRequest, _flow: Flow): void {
    if (!this.offers.acknowledged(ack)) return
    if (this.#state === 'leaving') {
      this.#sendBye()
      return
    }
    const type = ack.headers.get('Content-Type')
    const body = ack.body.length === 0 || type === undefined ? null : { contentType: type, bytes: ack.body }
    tell(this.core, () => this.events.onAcknowledged?.(body))
    this.#reinvites.next()
  }

  /** The 2xx to INVITE `seq` came again: its ACK was lost, perhaps with an earlier life of ours. */
  acknowledgeAgain(seq: number): void {
    if (this.#acks.has(seq)) this.#acks.again(seq)
    else if (this.#caller === undefined) this.#acks.send(seq, undefined, [])
  }

  /** The peer's BYE, answered already. */
  endedByPeer(reason: Reason | null): void {
    this.#end({ kind: 'bye', reason })
  }

  /** The peer knows the dialog no more, or is silent; then a BYE may still reach it. */
  gone(detail: string, silent: boolean): void {
    if (this.isOver) return
    if (silent) this.#state = 'ending'
    if (silent) this.#exchangeBye()
    this.#tellEnd({ kind: 'gone', detail })
    if (!silent) this.#leave()
  }

  /** What is kept of the dialog has changed. */
  changed(): void {
    if (this.#state === 'talking') tell(this.core, () => this.events.onChanged?.())
  }

  close(): void {
    this.#state = 'ended'
    this.#reinvites.end()
    this.offers.end()
  }

  /** The 2xx to our INVITE has no ACK yet: the owner is still making its answer. */
  get #owesAck(): boolean {
    return this.#caller !== undefined && !this.#acks.has(this.#caller.seq)
  }

  #refreshed(message: SipRequest | SipResponse): void {
    this.dialog.refreshTarget(message.headers)
    this.changed()
  }

  #neverAcknowledged(): void {
    if (this.#state === 'leaving') {
      this.#sendBye()
    } else if (this.#state === 'talking') {
      this.#state = 'ending'
      this.#exchangeBye()
      this.#tellEnd({ kind: 'no-ack' })
    }
  }

  #sendBye(): void {
    this.#state = 'ending'
    this.offers.end()
    this.#exchangeBye()
  }

  /** Whatever the answer is, the dialog is over then (RFC 3261 §15.1.1). */
  #exchangeBye(): void {
    const headers: HeaderLines = this.#leaveReason === undefined ? [] : [['Reason', this.#leaveReason]]
    this.#sender.send(
      'BYE',
      { headers },
      {
        onResponse: (response) => {
          if (response.status >= 200) this.#leave()
        },
        onFailed: () => this.#leave(),
      },
    )
  }

  #end(why: DialogEnd): void {
    const told = this.isOver
    this.#leave()
    if (!told) tell(this.core, () => this.events.onEnded(why))
  }

  #tellEnd(why: DialogEnd): void {
    this.#reinvites.end()
    this.offers.end()
    tell(this.core, () => this.events.onEnded(why))
  }

  #leave(): void {
    this.#state = 'ended'
    this.core.dialogs.remove(this.dialog.key, this)
    this.#reinvites.end()
    this.offers.end()
  }
}

const over: Unanswered = { kind: 'unanswered', why: 'transport', detail: 'the dialog is over' }
