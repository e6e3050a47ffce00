import type {
  Body,
  Credentials,
  DialogEnd,
  DialogEvents,
  Flow,
  InviteDialog,
  KeptDialog,
  KeptSession,
  Reason,
  Unanswered,
} from '#sip/agent.ts'
import { Acknowledgements } from '#sip/agent/acknowledgements.ts'
import { answer, type Core, contactFor, tell } from '#sip/agent/core.ts'
import { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { receiveInDialog } from '#sip/agent/in-dialog.ts'
import { goneBecause, ReinviteClient, type ReinviteResult } from '#sip/agent/reinvite-client.ts'
import { ReinviteServer } from '#sip/agent/reinvite-server.ts'
import { SessionRefresh } from '#sip/agent/session-refresh.ts'
import type { Dialog } from '#sip/dialog/dialog.ts'
import type { SessionTerms } from '#sip/dialog/session-timer.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** How a usage comes to be. */
interface Birth {
  readonly credentials?: Credentials | undefined
  /** We sent the INVITE; its number and the credentials it showed; `onOver`: what still answers it concerns nobody any more. */
  readonly asCaller?: { readonly seq: number; readonly authorization: HeaderLines; onOver(): void }
  /** What has been agreed about the life of the session; null: nothing. */
  readonly session?: SessionTerms | null
  /** The peer knows UPDATE. */
  readonly updates?: boolean
  /** The same from an earlier life. */
  readonly kept?: KeptSession
}

/** Our 2xx waits for a PRACK (RFC 3262 §3). */
export interface HeldAnswer {
  /** A PRACK came: whether it was the one, which is then answered. */
  receivePrack(transaction: ServerTransaction): boolean
  /** The owner has hung up: the INVITE is refused instead. */
  refuse(): void
}

/** Requests by which a peer that does not know the session any more is told from one that is. */
const ofSession: ReadonlySet<string> = new Set(['UPDATE', 'INFO'])

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
  readonly #sender: DialogSender
  readonly #acks: Acknowledgements
  readonly #caller: Birth['asCaller']
  // Made when they are needed: in most calls nothing is ever offered anew, and no session timer runs.
  #reinvites: ReinviteClient | null = null
  #offers: ReinviteServer | null = null
  #session: SessionRefresh | null = null
  /** The peer knows UPDATE, as far as the first INVITE told. */
  readonly #updates: boolean
  /** Set while our 2xx waits; a PRACK may come late, too. */
  held: HeldAnswer | null = null
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
    this.#updates = birth.kept?.updates ?? birth.updates ?? false
    const terms = birth.kept ?? birth.session ?? null
    if (terms !== null) this.#refresh.begin(terms, birth.kept)
    core.dialogs.add(dialog, this)
  }

  /** The offers of the peer's. */
  get offers(): ReinviteServer {
    this.#offers ??= new ReinviteServer(this.core, {
      localTag: this.dialog.localTag,
      events: this.events,
      isAsking: () => this.#reinvites?.isRunning === true,
      onAccepted: (request) => {
        this.#refreshed(request)
        return this.#refresh.accept(request)
      },
      refused: (request) => this.#refresh.refusal(request),
      onSettled: () => this.#reinvites?.next(),
      onNoAck: () => this.#neverAcknowledged(),
    })
    return this.#offers
  }

  /** The re-INVITEs that we send. */
  get #ours(): ReinviteClient {
    this.#reinvites ??= new ReinviteClient(this.core, this.#sender, this.#acks, {
      ownsCallId: this.#caller !== undefined,
      isFree: () => this.#state === 'talking' && this.#offers?.isBusy !== true && !this.#owesAck,
      onAccepted: (response) => {
        this.#session?.answered(response)
        this.#refreshed(response)
      },
      onGone: (detail, silent) => this.gone(detail, silent),
    })
    return this.#reinvites
  }

  get #refresh(): SessionRefresh {
    this.#session ??= new SessionRefresh(this.core, {
      sender: this.#sender,
      updates: this.#updates,
      reinvite: () => this.#refreshByInvite(),
      agreed: () => this.changed(),
      // The timer speaks for the peer only when nobody has ended the dialog already.
      isOver: () => this.isOver,
      gone: (detail) => this.#expired(detail),
    })
    return this.#session
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
    this.#reinvites?.next()
  }

  reinvite(body: Body | null, onResult: ReinviteResult): void {
    if (this.isOver) tell(this.core, () => onResult(over, () => undefined))
    else this.#ours.ask(body, onResult)
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
    // A request that nobody answers does not end a call: some peers drop what they do not know (a deviation from RFC 3261 §12.2.1.2). Nor does one
    // that is no part of the session: only its own subscription ends, or nothing does (RFC 5057 §5.1).
    if (result.kind !== 'response' || !ofSession.has(method)) return result
    const gone = goneBecause(result)
    if (gone !== null) this.gone(gone, result.status === 408)
    else if (result.status < 300 && method === 'UPDATE') this.#refreshed(result)
    return result
  }

  bye(reason?: Reason): void {
    if (this.#state !== 'talking') return
    const { held } = this
    if (held !== null) {
      this.held = null
      this.#leave()
      held.refuse()
      return
    }
    this.#leaveReason = reason
    this.#state = 'leaving'
    this.#session?.stop()
    this.#reinvites?.end()
    if (this.#owesAck) this.acknowledge()
    if (this.#offers?.awaitsAck !== true) this.#sendBye()
  }

  keep(): KeptDialog {
    const session = this.#session?.keep() ?? null
    return session === null ? this.dialog.keep() : { ...this.dialog.keep(), session }
  }

  // The peer's side

  receive(transaction: ServerTransaction): void {
    receiveInDialog(this, transaction)
  }

  /** A PRACK for a provisional response that our 2xx has overtaken, or that it waits for. */
  receivePrack(transaction: ServerTransaction): void {
    if (this.held?.receivePrack(transaction) !== true) answer(this.core, transaction, 481, { toTag: this.localTag })
  }

  /** An UPDATE without an offer: the peer's target may have moved, and the session lives on (RFC 3311 §5.2, RFC 4028 §9). */
  refreshedByPeer(transaction: ServerTransaction): void {
    const { request, flow } = transaction
    const toTag = this.localTag
    const refusal = this.#refresh.refusal(request)
    if (refusal !== null) {
      answer(this.core, transaction, 422, { toTag, headers: refusal })
      return
    }
    this.#refreshed(request)
    const headers = [['Contact', contactFor(this.core, flow, undefined, this.dialog.secure)] as const, ...this.#refresh.accept(request)]
    answer(this.core, transaction, 200, { toTag, headers })
  }

  receiveAck(ack: SipRequest, _flow: Flow): void {
    if (this.#offers?.acknowledged(ack) !== true) return
    if (this.#state === 'leaving') {
      this.#sendBye()
      return
    }
    const type = ack.headers.get('Content-Type')
    const body = ack.body.length === 0 || type === undefined ? null : { contentType: type, bytes: ack.body }
    tell(this.core, () => this.events.onAcknowledged?.(body))
    this.#reinvites?.next()
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
    this.#settle()
  }

  /** The 2xx to our INVITE has no ACK yet: the owner is still making its answer. */
  get #owesAck(): boolean {
    return this.#caller !== undefined && !this.#acks.has(this.#caller.seq)
  }

  #refreshed(message: SipRequest | SipResponse): void {
    this.dialog.refreshTarget(message.headers)
    this.changed()
  }

  /** The peer knows no UPDATE: the session as it stands is offered again (RFC 4028 §7.4). */
  #refreshByInvite(): void {
    const body = this.events.sessionBody?.() ?? null
    this.#ours.ask(body, (result, acknowledge) => {
      if (result.kind !== 'response' || result.status >= 300) {
        this.#session?.refused(result)
        return
      }
      const type = result.headers.get('Content-Type')
      if (body !== null && result.body.length > 0 && type !== undefined)
        tell(this.core, () => this.events.onRefreshed?.({ contentType: type, bytes: result.body }))
      acknowledge()
    })
  }

  #expired(detail: string): void {
    if (this.isOver) return
    this.#leaveReason = 'SIP;cause=408;text="Session expired"'
    this.#state = 'ending'
    this.#exchangeBye()
    this.#tellEnd({ kind: 'expired', detail })
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
    this.#offers?.end()
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

  /** Nothing repeats itself, waits or is asked any more. */
  #settle(): void {
    this.#session?.stop()
    this.#reinvites?.end()
    this.#offers?.end()
  }

  #tellEnd(why: DialogEnd): void {
    this.#settle()
    tell(this.core, () => this.events.onEnded(why))
  }

  #leave(): void {
    this.#state = 'ended'
    this.core.dialogs.remove(this.dialog, this)
    this.#settle()
    this.#caller?.onOver()
  }
}

const over: Unanswered = { kind: 'unanswered', why: 'transport', detail: 'the dialog is over' }
