import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Credentials, Flow, InviteSpec, OutgoingEvents, OutgoingInvite, Reason, Unanswered } from '#sip/agent.ts'
import { ACCEPT, ALLOW, SUPPORTED_BY_CALLER } from '#sip/agent/abilities.ts'
import { type Core, newTag, tell } from '#sip/agent/core.ts'
import { EarlyDialog } from '#sip/agent/early-dialog.ts'
import { Exchange, type Question } from '#sip/agent/exchange.ts'
import { InviteUsage } from '#sip/agent/invite-usage.ts'
import { newRequest, Ways } from '#sip/agent/outside.ts'
import { endUnwanted } from '#sip/agent/stray.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import { reliableSeqOf } from '#sip/dialog/rack.ts'
import { linesOfInvite, minSeOf, termsOfResponse } from '#sip/dialog/session-timer.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

/**
 * `calling`: no final answer yet. `given-up`: the owner has been told that it failed, or asked to cancel; what still comes is cleaned up.
 * `answered`: the dialog of the first 2xx lives. `failed`: over.
 */
type State = 'calling' | 'cancelling' | 'given-up' | 'answered' | 'failed'

/**
 * An INVITE that we send, up to its final answer (RFC 3261 §13.2): forks, of which the first 2xx wins; CANCEL, and the 2xx that
 * crosses it; the owner's limits of patience.
 */
export class OutgoingInviteRun implements OutgoingInvite {
  readonly callId: string
  readonly #core: Core
  #spec: InviteSpec
  // Of the spec, what answers of other forks still need.
  readonly #uri: string
  readonly #credentials: Credentials | undefined
  /** It goes over a flow that the device itself opened. */
  readonly #translated: boolean
  #events: OutgoingEvents
  readonly #exchange: Exchange
  readonly localTag: string
  /** By the other side's tag; null while no fork wanted to be acknowledged. */
  #early: Map<string, EarlyDialog> | null = null
  #minSe: number
  #seq = 1
  #state: State = 'calling'
  #usage: InviteUsage | null = null
  #patience: WheelTimer | null = null
  #silence: WheelTimer | null = null

  constructor(core: Core, spec: InviteSpec, events: OutgoingEvents) {
    this.callId = core.random.hex(16)
    this.#core = core
    this.#spec = spec
    this.#uri = spec.uri
    this.#credentials = spec.credentials
    this.#translated = spec.via !== undefined && 'remote' in spec.via
    this.#events = events
    this.localTag = newTag(core)
    this.#minSe = core.sessions.min
    this.#exchange = new Exchange(core, this.#question(), {
      onResponse: (response, flow) => this.#answered(response, flow),
      onFailed: (failure) => this.#failed(failure),
    })
  }

  start(): void {
    const { timeoutMs, silenceMs } = this.#spec
    if (timeoutMs !== undefined)
      this.#patience = this.#core.wheel.after(timeoutMs, () => this.#giveUp('too-long', 'nobody answered in time'))
    if (silenceMs !== undefined) this.#silence = this.#core.wheel.after(silenceMs, () => this.#giveUp('timeout', 'the peer is silent'))
    this.#exchange.start()
  }

  cancel(reason?: Reason): void {
    if (this.#state !== 'calling') return
    this.#state = 'cancelling'
    this.#exchange.cancel(reason === undefined ? [] : [['Reason', reason]])
  }

  /** By itself: what its functions use lives as long as they do, which is not as long as the call. */
  #question(): Question {
    const ways = new Ways(this.#core, this.#spec)
    return {
      build: (flow) => this.#invite(flow),
      path: (way) => ways.path(way),
      isLookedUp: ways.isLookedUp,
      credentials: this.#spec.credentials,
      revise: (refusal) => this.#revise(refusal),
    }
  }

  #invite(flow: Flow): SipRequest {
    const { sessions } = this.#core
    const headers = [
      ['Allow', ALLOW],
      ['Supported', SUPPORTED_BY_CALLER],
      ['Accept', ACCEPT],
      ...linesOfInvite(sessions.expires, this.#minSe),
      ...(this.#spec.headers ?? []),
    ] as const
    const attempt = { method: 'INVITE', callId: this.callId, seq: this.#seq++, flow, fromTag: this.localTag, headers }
    return newRequest(this.#core, this.#spec, attempt)
  }

  /** 422: the peer, or somebody on the way, allows no such short session; asked for once more (RFC 4028 §7.3). */
  #revise(refusal: SipResponse): boolean {
    const min = minSeOf(refusal.headers)
    if (this.#core.sessions.expires === 0 || min <= Math.max(this.#minSe, this.#core.sessions.expires)) return false
    this.#minSe = min
    return true
  }

  #answered(response: SipResponse, flow: Flow): void {
    this.#silence?.stop()
    if (response.status < 200) this.#progressed(response, flow)
    else if (response.status < 300) this.#accepted(response, flow)
    else this.#failed(response)
  }

  #progressed(response: SipResponse, flow: Flow): void {
    const { tag } = response.headers.to
    if (response.status === 100 || this.#state === 'failed' || this.#state === 'answered') return
    const rseq = reliableSeqOf(response.headers)
    // Acknowledged even after a CANCEL: the other side repeats it otherwise.
    if (rseq !== null && tag !== undefined && !this.#earlyDialog(tag, response, flow).acknowledge(response, rseq)) return
    if (response.status === 199 && tag !== undefined) this.#forkEnded(tag)
    if (this.#state === 'calling') tell(this.#core, () => this.#events.onProvisional?.(response, tag ?? ''))
  }

  #earlyDialog(tag: string, response: SipResponse, flow: Flow): EarlyDialog {
    const early = (this.#early ??= new Map<string, EarlyDialog>())
    const known = early.get(tag)
    if (known !== undefined) return known
    const made = new EarlyDialog(this.#core, this.#dialogOf(response, flow), this.#events.dialog, this.#credentials)
    early.set(tag, made)
    return made
  }

  #dialogOf(response: SipResponse, flow: Flow): Dialog {
    return Dialog.ofResponse(response, this.#uri, flow, this.#translated)
  }

  #forkEnded(tag: string): void {
    this.#early?.get(tag)?.close()
    this.#early?.delete(tag)
  }

  #accepted(response: SipResponse, flow: Flow): void {
    const dialog = this.#dialogOf(response, flow)
    if (this.#usage !== null && dialog.remoteTag === this.#usage.remoteTag) {
      this.#usage.acknowledgeAgain(response.headers.cseq.seq)
    } else if (this.#state === 'calling') {
      const early = this.#early?.get(dialog.remoteTag)
      if (early !== undefined) dialog.goOnFrom(early.dialog)
      this.#settle('answered')
      this.#usage = new InviteUsage(this.#core, dialog, this.#events.dialog, {
        credentials: this.#credentials,
        asCaller: {
          seq: response.headers.cseq.seq,
          authorization: this.#exchange.shown,
          // A 2xx that comes after the end of the dialog is a stray: acknowledged, and its dialog ended (stray.ts).
          onOver: () => this.#exchange.abandon(),
        },
        session: termsOfResponse(response.headers),
        updates: response.headers.allows('UPDATE'),
      })
      this.#tellAnswered(response, this.#usage)
    } else {
      // Another fork answered too, or the answer crossed our CANCEL (RFC 3261 §13.2.2.4, §9.1).
      endUnwanted(this.#core, dialog, this.#credentials)
      this.#failed({ kind: 'unanswered', why: 'too-long', detail: 'cancelled; an answer that crossed was ended' })
    }
  }

  /**
   * From here on it waits for what other forks may still say, and the call that came of it does not hold on to how it was made. Apart from
   * `#accepted`: what is used there in a function that lives on lives on with it.
   */
  #tellAnswered(response: SipResponse, usage: InviteUsage): void {
    const events = this.#events
    this.#spec = sent
    this.#events = { onAnswered: unheard, onFailed: unheard, dialog: events.dialog }
    this.#exchange.settled()
    tell(this.#core, () => events.onAnswered(response, usage))
  }

  #failed(failure: SipResponse | Unanswered): void {
    const owed = this.#state === 'calling' || this.#state === 'cancelling'
    if (!owed) {
      if (this.#state === 'given-up') this.#settle('failed')
      return
    }
    this.#settle('failed')
    tell(this.#core, () => this.#events.onFailed(failure))
  }

  /** The owner learns it now; the CANCEL and what it brings are ours to finish. */
  #giveUp(why: Unanswered['why'], detail: string): void {
    if (this.#state !== 'calling') return
    this.#settle('given-up')
    this.#exchange.cancel([])
    tell(this.#core, () => this.#events.onFailed({ kind: 'unanswered', why, detail }))
  }

  #settle(state: State): void {
    this.#state = state
    this.#patience?.stop()
    this.#silence?.stop()
    if (this.#early === null || state === 'given-up') return
    for (const early of this.#early.values()) early.close()
    this.#early = null
  }
}

/** Of an INVITE that is not sent again. */
const sent: InviteSpec = { uri: '', from: '', to: '' }
const unheard = (): void => undefined
