import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Flow, InviteSpec, OutgoingEvents, OutgoingInvite, Reason, Unanswered } from '#sip/agent.ts'
import { authorizationOf } from '#sip/agent/acknowledgements.ts'
import { ACCEPT, ALLOW, SUPPORTED } from '#sip/agent/abilities.ts'
import { type Core, newTag, tell } from '#sip/agent/core.ts'
import { Exchange } from '#sip/agent/exchange.ts'
import { InviteUsage } from '#sip/agent/invite-usage.ts'
import { newRequest, Ways } from '#sip/agent/outside.ts'
import { endUnwanted } from '#sip/agent/stray.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
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
  readonly #spec: InviteSpec
  readonly #events: OutgoingEvents
  readonly #exchange: Exchange
  readonly #tag: string
  #seq = 1
  #state: State = 'calling'
  #usage: InviteUsage | null = null
  #patience: WheelTimer | null = null
  #silence: WheelTimer | null = null

  constructor(core: Core, spec: InviteSpec, events: OutgoingEvents) {
    this.callId = core.random.hex(16)
    this.#core = core
    this.#spec = spec
    this.#events = events
    this.#tag = newTag(core)
    const ways = new Ways(core, spec)
    this.#exchange = new Exchange(
      core,
      { build: (flow) => this.#invite(flow), path: (way) => ways.path(way), credentials: spec.credentials },
      { onResponse: (response, flow) => this.#answered(response, flow), onFailed: (failure) => this.#failed(failure) },
    )
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

  #invite(flow: Flow): SipRequest {
    const headers = [['Allow', ALLOW], ['Supported', SUPPORTED], ['Accept', ACCEPT], ...(this.#spec.headers ?? [])] as const
    const spec = { ...this.#spec, headers }
    return newRequest(this.#core, spec, { method: 'INVITE', callId: this.callId, seq: this.#seq++, flow, fromTag: this.#tag })
  }

  #answered(response: SipResponse, flow: Flow): void {
    this.#silence?.stop()
    if (response.status < 200) this.#progressed(response)
    else if (response.status < 300) this.#accepted(response, flow)
    else this.#failed(response)
  }

  #progressed(response: SipResponse): void {
    const { tag } = response.headers.to
    if (response.status === 100 || this.#state !== 'calling') return
    tell(this.#core, () => this.#events.onProvisional?.(response, tag ?? ''))
  }

  #accepted(response: SipResponse, flow: Flow): void {
    const dialog = Dialog.ofResponse(response, this.#spec.uri, flow, this.#spec.via !== undefined && 'remote' in this.#spec.via)
    if (this.#usage !== null && dialog.remoteTag === this.#usage.remoteTag) {
      this.#usage.acknowledgeAgain(dialog.localSeq)
    } else if (this.#state === 'calling') {
      this.#settle('answered')
      this.#usage = new InviteUsage(this.#core, dialog, this.#events.dialog, {
        credentials: this.#spec.credentials,
        asCaller: { seq: dialog.localSeq, authorization: authorizationOf(this.#exchange.request) },
      })
      const usage = this.#usage
      tell(this.#core, () => this.#events.onAnswered(response, usage))
    } else {
      // Another fork answered too, or the answer crossed our CANCEL (RFC 3261 §13.2.2.4, §9.1).
      endUnwanted(this.#core, dialog, this.#spec.credentials)
      this.#failed({ kind: 'unanswered', why: 'too-long', detail: 'cancelled; an answer that crossed was ended' })
    }
  }

  #failed(failure: SipResponse | Unanswered): void {
    const owed = this.#state === 'calling' || this.#state === 'cancelling'
    if (!owed) return
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
  }
}
