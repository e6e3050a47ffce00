import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Body, DialogEvents, Flow, IncomingInvite, InviteDialog, Reason } from '#sip/agent.ts'
import { ACCEPT, ALLOW, SUPPORTED } from '#sip/agent/abilities.ts'
import { answer, answerTo, type Core, contactFor, newTag, tell } from '#sip/agent/core.ts'
import type { DialogUser } from '#sip/agent/dialog-table.ts'
import { InviteUsage } from '#sip/agent/invite-usage.ts'
import { answerCapabilities } from '#sip/agent/options.ts'
import { ReinviteServer } from '#sip/agent/reinvite-server.ts'
import { ReliableProvisionals } from '#sip/agent/reliable-provisionals.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import { linesOfAnswer, type SessionTerms, termsOfRequest } from '#sip/dialog/session-timer.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { ServerEvents, ServerTransaction } from '#sip/transaction/layer.ts'

/** A provisional response is repeated each minute, so that no proxy on the way takes the call for dead (RFC 3261 §13.3.1.1). */
const PROGRESS_MS = 60_000

/** An INVITE that we received, up to its final answer: the early dialog (RFC 3261 §13.3). */
export class IncomingInviteRun implements IncomingInvite, DialogUser {
  readonly request: SipRequest
  readonly flow: Flow
  onCancelled: (reason: Reason | null, lost?: string) => void = () => undefined
  early: IncomingInvite['early'] = null
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #dialog: Dialog
  readonly localTag: string
  #open = true
  #repeat: WheelTimer | null = null
  /** What the caller has to acknowledge; null: nothing yet. */
  #reliable: ReliableProvisionals | null = null
  /** How far offer and answer have come before the 2xx. */
  #session: 'open' | 'told' | 'settled' = 'open'
  #offers: ReinviteServer | null = null
  #usage: InviteUsage | null = null

  /** `request`: the INVITE as the owner shall see it. Registers itself for the requests of the early dialog. */
  constructor(core: Core, transaction: ServerTransaction, request: SipRequest) {
    this.request = request
    this.flow = transaction.flow
    this.#core = core
    this.#transaction = transaction
    this.localTag = newTag(core)
    this.#dialog = Dialog.ofInvite(transaction.request, this.localTag, transaction.flow)
    core.dialogs.add(this.#dialog, this)
    core.ringing.add(this.flow.connection, this)
    transaction.events.onCancelled = (cancel) => this.#cancelled(cancel.headers.get('Reason') ?? null)
    transaction.events.onFailed = () => this.connectionLost()
  }

  get isReliable(): boolean {
    return this.#isRequired || this.request.headers.supports('100rel')
  }

  progress(status: number, body?: Body): void {
    if (!this.#open || status <= 100 || status >= 200) return
    if (this.#isRequired || (body !== undefined && this.isReliable)) {
      if (body !== undefined && this.#session === 'open') this.#session = 'told'
      this.#reliable ??= new ReliableProvisionals(this.#core, this.#transaction, () => this.#neverAcknowledged())
      this.#reliable.send((headers) => this.#response(status, { headers: [...this.#headers(), ...headers], body }))
    } else this.#transaction.respond(this.#response(status, { headers: this.#headers(), body }))
    this.#repeat ??= this.#core.wheel.timer(() => {
      this.#transaction.resend()
      this.#repeat?.start(PROGRESS_MS)
    })
    this.#repeat.start(PROGRESS_MS)
  }

  accept(body: Body | null, events: DialogEvents, headers: HeaderLines = []): InviteDialog {
    if (!this.#open) return this.#tooLate(events)
    this.#close()
    const terms = this.#terms()
    const usage = new InviteUsage(this.#core, this.#dialog, events, {
      session: terms,
      updates: this.request.headers.allows('UPDATE'),
    })
    if (this.#reliable?.isWaiting === true) this.#hold(usage, events, () => this.#answer(usage, body, terms, headers))
    else this.#answer(usage, body, terms, headers)
    return usage
  }

  reject(status: number, reason?: string, headers: HeaderLines = []): void {
    if (!this.#open) return
    this.#leave()
    answer(this.#core, this.#transaction, status, { toTag: this.localTag, reason, headers })
  }

  /** The caller's connection is gone: nobody is there to be answered. */
  connectionLost(): void {
    this.#cancelled(null)
  }

  // Requests of the early dialog

  receive(transaction: ServerTransaction): void {
    const { request } = transaction
    const toTag = this.localTag
    if (this.#dialog.order(request) !== 'next') {
      answer(this.#core, transaction, 500, { toTag, reason: 'CSeq out of order' })
      return
    }
    this.#dialog.received(request, transaction.flow)
    switch (request.method) {
      case 'BYE':
        // A caller may end an early dialog by BYE as well (RFC 3261 §15).
        answer(this.#core, transaction, 200, { toTag })
        this.#cancelled(request.headers.get('Reason') ?? null)
        return
      case 'OPTIONS':
        answerCapabilities(this.#core, transaction, toTag)
        return
      case 'PRACK':
        if (!this.#pracked(transaction)) answer(this.#core, transaction, 481, { toTag })
        return
      case 'UPDATE':
        this.#updated(transaction)
        return
      default:
        // The offer of the INVITE has no answer yet (RFC 3261 §14.2).
        this.#notNow(transaction)
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
    this.#reliable?.stop()
  }

  #cancelled(reason: Reason | null): void {
    if (!this.#open) return
    this.#leave()
    answer(this.#core, this.#transaction, 487, { toTag: this.localTag })
    tell(this.#core, () => this.onCancelled(reason))
  }

  /** The caller required what it does not do, or is gone (RFC 3262 §3: a 5xx). */
  #neverAcknowledged(): void {
    const usage = this.#usage
    if (!this.#open && usage === null) return
    if (usage === null) this.#leave()
    else this.#release()
    answer(this.#core, this.#transaction, 504, { toTag: this.localTag, reason: 'PRACK never came' })
    const lost = 'the caller did not acknowledge a provisional response'
    if (usage === null) tell(this.#core, () => this.onCancelled(null, lost))
    else usage.gone(lost, false)
  }

  get #isRequired(): boolean {
    return this.request.headers.requires('100rel')
  }

  /** What our 2xx says about the life of the session; less than we allow was refused before. */
  #terms(): SessionTerms | null {
    const terms = termsOfRequest(this.request.headers, this.#core.sessions)
    return terms === null || 'min' in terms ? null : terms
  }

  #response(status: number, parts: { headers: HeaderLines; body?: Body | null | undefined }): SipResponse {
    return answerTo(this.#core, this.#transaction.request, status, { toTag: this.localTag, headers: parts.headers, body: parts.body })
  }

  #answer(usage: InviteUsage, body: Body | null, terms: SessionTerms | null, headers: HeaderLines): void {
    // A 2xx that cannot be delivered over a broken connection is repeated like a lost one, until the ACK is overdue.
    this.#transaction.events = unheard
    const more: HeaderLines = [...headers, ['Supported', SUPPORTED], ['Accept', ACCEPT], ...(terms === null ? [] : linesOfAnswer(terms))]
    // What a PRACK has settled is not said again: it may have been changed since by UPDATE (RFC 6337 §3.1.1).
    const said = this.#session === 'open' ? body : null
    this.#transaction.respond(this.#response(200, { headers: [...this.#headers(), ...more], body: said }))
    usage.offers.awaitAck(this.#transaction, this.request.body.length === 0 && said !== null)
  }

  /** The 2xx waits until the session description before it is acknowledged (RFC 3262 §3). */
  #hold(usage: InviteUsage, events: DialogEvents, then: () => void): void {
    this.#usage = usage
    this.early = events
    this.#transaction.events.onCancelled = (cancel) => {
      this.#release()
      answer(this.#core, this.#transaction, 487, { toTag: this.localTag })
      usage.endedByPeer(cancel.headers.get('Reason') ?? null)
    }
    usage.held = {
      receivePrack: (transaction) => this.#pracked(transaction),
      refuse: () => {
        this.#release()
        answer(this.#core, this.#transaction, 480, { toTag: this.localTag })
      },
    }
    this.#reliable?.whenAcknowledged(() => {
      this.#release()
      then()
    })
  }

  #release(): void {
    if (this.#usage !== null) this.#usage.held = null
    this.#usage = null
    this.#reliable?.stop()
  }

  /** A PRACK: false when it is for nothing that waits. With a body it answers our offer, or brings one (RFC 3262 §5). */
  #pracked(transaction: ServerTransaction): boolean {
    const reliable = this.#reliable
    if (reliable === null || !reliable.acknowledged(transaction)) return false
    const offered = this.#session === 'told' && this.request.body.length === 0
    if (this.#session === 'told') this.#session = 'settled'
    const body = bodyOf(transaction.request)
    if (body === null || offered) {
      answer(this.#core, transaction, 200, { toTag: this.localTag })
      if (body !== null) tell(this.#core, () => this.early?.onAcknowledged?.(body))
    } else this.#offered(transaction)
    reliable.next()
    return true
  }

  /** An UPDATE before our answer: only after the first offer has been answered may there be another (RFC 3311 §5.2). */
  #updated(transaction: ServerTransaction): void {
    const { request } = transaction
    if (request.body.length === 0) {
      this.#dialog.refreshTarget(request.headers)
      answer(this.#core, transaction, 200, { toTag: this.localTag, headers: this.#headers() })
    } else if (this.#session === 'settled') this.#offered(transaction)
    else if (this.#session === 'told' && this.request.body.length === 0) answer(this.#core, transaction, 491, { toTag: this.localTag })
    else this.#notNow(transaction)
  }

  #offered(transaction: ServerTransaction): void {
    const events = this.early
    if (events === null) {
      answer(this.#core, transaction, 488, { toTag: this.localTag })
      return
    }
    this.#offers ??= new ReinviteServer(this.#core, {
      localTag: this.localTag,
      events,
      isAsking: () => false,
      onAccepted: (request) => {
        this.#dialog.refreshTarget(request.headers)
        return []
      },
      onSettled: () => undefined,
      onNoAck: () => undefined,
    })
    this.#offers.receive(transaction)
  }

  #notNow(transaction: ServerTransaction): void {
    answer(this.#core, transaction, 500, { toTag: this.localTag, headers: [['Retry-After', String(this.#core.random.below(11))]] })
  }

  #headers(): HeaderLines {
    return [
      ['Contact', contactFor(this.#core, this.flow, undefined, this.#dialog.secure)],
      ['Allow', ALLOW],
    ]
  }

  #leave(): void {
    this.#close()
    this.#reliable?.stop()
    this.#offers?.end()
    this.#core.dialogs.remove(this.#dialog, this)
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
    this.#core.dialogs.remove(this.#dialog, usage)
    return usage
  }
}

/** A CANCEL comes too late, and a failure concerns nobody. */
const unheard: ServerEvents = Object.freeze({})

function bodyOf(request: SipRequest): Body | null {
  const type = request.headers.get('Content-Type')
  return request.body.length === 0 || type === undefined ? null : { contentType: type, bytes: request.body }
}
