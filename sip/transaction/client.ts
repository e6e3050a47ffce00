import type { Chained } from '#sip/chains.ts'
import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import { ackFor, cancelFor } from '#sip/transaction/companions.ts'
import type { Run, TransactionHost } from '#sip/transaction/host.ts'
import { InviteClient } from '#sip/transaction/invite-client.ts'
import type { ClientInput, Effect, Machine } from '#sip/transaction/machine.ts'
import { NonInviteClient } from '#sip/transaction/non-invite-client.ts'
import type { ClientEvents, ClientTransaction } from '#sip/transaction/transaction.ts'
import type { Timer } from '#sip/transaction/timings.ts'
import { TimedRun } from '#sip/transaction/timed-run.ts'

const NO_EVENTS: ClientEvents = { onResponse: () => undefined, onFailed: () => undefined }

/** Carries out what a client machine wants, and sees to CANCEL. */
export class ClientRun extends TimedRun<Run> implements ClientTransaction, Chained<ClientRun> {
  request: SipRequest | null
  readonly flow: Flow
  readonly method: string
  readonly callId: string
  readonly branch: string
  next: ClientRun | null = null
  readonly #host: TransactionHost
  readonly #machine: Machine<ClientInput>
  #bytes: Uint8Array | null
  #events: ClientEvents
  #progress: 'sent' | 'provisional' | 'final' = 'sent'
  #response: SipResponse | null = null
  #ack: Uint8Array | null = null
  #cancel: HeaderLines | null = null
  #cancelTimer: WheelTimer | null = null
  #detail = ''
  #sends = 0

  constructor(host: TransactionHost, request: SipRequest, via: { branch: string; flow: Flow }, events: ClientEvents) {
    super()
    this.request = request
    this.flow = via.flow
    this.method = request.method
    this.callId = request.headers.callId
    this.branch = via.branch
    this.#host = host
    this.#events = events
    this.#bytes = serialize(request)
    const timings = host.timingsOf(via.flow)
    this.#machine = request.method === 'INVITE' ? new InviteClient(timings) : new NonInviteClient(timings)
  }

  begin(): void {
    this.#step({ kind: 'begin' })
  }

  override onTimer(timer: Timer): void {
    this.#step({ kind: 'timer', timer })
  }

  receive(response: SipResponse): void {
    this.#response = response
    if (response.status >= 200) this.#finish()
    else if (this.#progress === 'sent') this.#progress = 'provisional'
    this.#step({ kind: 'response', status: response.status })
    if (response.status >= 200) this.#letGo(response.status)
    if (this.#cancel !== null && this.#progress === 'provisional') this.#sendCancel(this.#cancel)
  }

  transportFailed(why: string): void {
    this.#detail = why
    this.#step({ kind: 'transport-failed' })
  }

  cancel(headers: HeaderLines = []): void {
    if (this.#cancel !== null || this.#progress === 'final' || this.method !== 'INVITE') return
    this.#cancel = headers
    if (this.#progress === 'provisional') this.#sendCancel(headers)
  }

  abandon(): void {
    this.#events = NO_EVENTS
    this.end()
  }

  end(): void {
    this.#finish()
    this.stopTimers()
    this.#host.forgetClient(this)
  }

  #step(input: ClientInput): void {
    for (const effect of this.#machine.step(input)) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.#send()
      case 'ack':
        return this.#acknowledge()
      case 'deliver':
        return this.#deliver()
      case 'start':
        return this.startTimer(this.#host.wheel, effect.timer, effect.delay)
      case 'stop':
        return this.stopTimer(effect.timer)
      case 'fail':
        return this.#fail(effect.why)
      case 'end':
        return this.end()
      case 'send-trying':
        return
    }
  }

  #send(): void {
    this.#sends++
    if (this.#sends > 1) this.#host.counts.repeatsOut++
    if (this.#sends === 2) this.#host.transport.probe(this.flow)
    if (this.#bytes === null || this.#host.send(this.flow, this.#bytes, this.callId)) return
    // Later, so that whoever made the request hears of its failure after having it in hand.
    this.#host.wheel.after(0, () => this.transportFailed('the connection is gone'))
  }

  #acknowledge(): void {
    if (this.#response !== null && this.request !== null) this.#ack ??= serialize(ackFor(this.request, this.#response))
    if (this.#ack !== null) this.#host.send(this.flow, this.#ack, this.callId)
  }

  #deliver(): void {
    if (this.#response === null) return
    try {
      this.#events.onResponse(this.#response, this.flow, this)
    } catch (error) {
      this.#host.fault(error)
    }
    this.#response = null
  }

  #fail(why: 'timeout' | 'transport'): void {
    if (why === 'timeout') this.#host.counts.timeouts++
    this.#finish()
    try {
      this.#events.onFailed(why, why === 'timeout' ? `no final response to ${this.method}` : this.#detail, this)
    } catch (error) {
      this.#host.fault(error)
    }
  }

  /** RFC 3261 §9.1: without a final response 64·T1 after the CANCEL the INVITE counts as cancelled. */
  #sendCancel(headers: HeaderLines): void {
    if (this.#cancelTimer !== null || this.request === null) return
    this.#cancelTimer = this.#host.wheel.after(this.#host.timingsOf(this.flow).B, () => {
      this.#fail('timeout')
      this.end()
    })
    this.#host.run(cancelFor(this.request, headers), this.branch, this.flow, NO_EVENTS)
  }

  /** What may wait for half a minute must not hold on to messages, nor to whoever asked. Only an INVITE that was accepted may bring more. */
  #letGo(status: number): void {
    this.request = null
    this.#response = null
    if (status >= 300 || this.method !== 'INVITE') this.#events = NO_EVENTS
  }

  #finish(): void {
    if (this.#progress === 'final') return
    this.#progress = 'final'
    this.#bytes = null
    this.#host.finished(this)
    this.#cancelTimer?.stop()
  }
}
