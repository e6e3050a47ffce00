import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import { buildResponse } from '#sip/message/build.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import type { Run, TransactionHost } from '#sip/transaction/host.ts'
import { InviteServer } from '#sip/transaction/invite-server.ts'
import type { Effect, Machine, ServerInput } from '#sip/transaction/machine.ts'
import { NonInviteServer } from '#sip/transaction/non-invite-server.ts'
import { reconnectFlow, responseFlow } from '#sip/transaction/response-flow.ts'
import { defaultPort } from '#sip/transport/transport.ts'
import type { ServerEvents, ServerTransaction } from '#sip/transaction/transaction.ts'
import type { ServerName } from '#sip/transaction/server-name.ts'
import type { Timer } from '#sip/transaction/timings.ts'
import { TimedRun } from '#sip/transaction/timed-run.ts'

/** A request in the hands of the transaction user. */
class Received implements ServerTransaction {
  readonly request: SipRequest
  readonly flow: Flow
  events: ServerEvents = {}
  readonly #run: ServerRun

  constructor(run: ServerRun, request: SipRequest, flow: Flow) {
    this.#run = run
    this.request = request
    this.flow = flow
  }

  get isProved(): boolean {
    return this.#run.isProved
  }

  proved(): void {
    this.#run.proved()
  }

  respond(response: SipResponse): boolean {
    return this.#run.respond(response)
  }

  resend(): void {
    this.#run.resend()
  }
}

/**
 * Carries out what a server machine wants. It outlives its INVITE by up to 32 s to answer retransmissions; after the final response it
 * keeps only that response's bytes, so that tens of thousands can wait. Another request has a place in `AnsweredTable` then.
 */
export class ServerRun extends TimedRun<Run> {
  readonly name: ServerName
  readonly flow: Flow
  /** See `ServerTransaction.proved`. */
  isProved = false
  /** The request itself, while nothing else knows of it: there are too many strangers, and this is one more of them unless it is proved. */
  held: Uint8Array | null
  /** How often the request has come again. */
  repeats = 0
  /** It has ended, or its answer is all that is left of it. */
  isOver = false
  readonly #host: TransactionHost
  readonly #machine: Machine<ServerInput>
  readonly #handUp: (transaction: ServerTransaction) => void
  /** Null once the final response is out. */
  #received: Received | null
  #target: Flow
  /** Of the request's Via, for a new connection when its own is lost; null once that was tried. */
  #sentByPort: number | null
  #last: SipResponse | null = null
  #bytes: Uint8Array | null = null
  #events: ServerEvents | null = null
  /** What was sent could not be delivered, which ends it in a moment. */
  #isLost = false
  /** For how long the final answer is to be repeated, once that is all there is to do. */
  #lingers: Millis | null = null

  constructor(host: TransactionHost, incoming: Incoming, name: ServerName, handUp: (transaction: ServerTransaction) => void) {
    super()
    const { request, flow } = incoming
    this.name = name
    name.holder = this
    this.flow = flow
    this.held = incoming.held
    this.#host = host
    this.#handUp = handUp
    this.#received = new Received(this, request, flow)
    this.#target = responseFlow(request, flow)
    this.#sentByPort = request.headers.via.port ?? defaultPort(this.flow.transport)
    const timings = host.timingsOf(flow)
    this.#machine = request.method === 'INVITE' ? new InviteServer(timings) : new NonInviteServer(timings)
  }

  begin(): void {
    this.#step({ kind: 'begin' })
  }

  override onTimer(timer: Timer): void {
    this.#step({ kind: 'timer', timer })
  }

  proved(): void {
    if (this.#received === null) return
    this.isProved = true
    this.#host.proved(this)
  }

  /** The request came again; gives how often it has. */
  repeat(): number {
    this.#host.counts.repeatsIn++
    this.#step({ kind: 'repeat' })
    return ++this.repeats
  }

  /** An ACK with the branch of this INVITE. True when it belongs to a 2xx and concerns the transaction user. */
  acknowledged(): boolean {
    let goesUp = false
    for (const effect of this.#machine.step({ kind: 'ack' })) {
      if (effect.kind === 'deliver') goesUp = true
      else this.#carryOut(effect, false)
    }
    return goesUp
  }

  /** A CANCEL for this INVITE; after the final response it changes nothing (RFC 3261 §9.2). */
  cancelled(cancel: SipRequest): void {
    try {
      this.#received?.events.onCancelled?.(cancel)
    } catch (error) {
      this.#host.fault(error)
    }
  }

  /** Of the last response, before the final one. */
  get toTag(): string | undefined {
    return this.#last?.headers.toOrNull?.tag
  }

  respond(response: SipResponse): boolean {
    const { status } = response
    const effects = this.#machine.step({ kind: 'respond', status })
    if (effects.length === 0) return false
    if (response !== this.#last) this.#bytes = serialize(response)
    this.#last = response
    if (status === 401 || status === 407) this.#host.unmerge(this)
    for (const effect of effects) this.#carryOut(effect, false)
    if (status >= 200) this.#letGo()
    return true
  }

  resend(): void {
    if (this.#machine.ended || this.#bytes === null) return
    this.#host.counts.repeatsOut++
    this.#send()
  }

  end(): void {
    this.isOver = true
    this.stopTimers()
    this.#host.forgetServer(this)
  }

  #step(input: ServerInput): void {
    const again = input.kind === 'timer' || input.kind === 'repeat'
    for (const effect of this.#machine.step(input)) this.#carryOut(effect, again)
  }

  #carryOut(effect: Effect, again: boolean): void {
    switch (effect.kind) {
      case 'send':
        if (again) this.#host.counts.repeatsOut++
        return this.#send()
      case 'send-trying':
        return this.#sendTrying()
      case 'deliver':
        return this.#deliver()
      case 'start':
        if (effect.timer === 'J') this.#lingers = effect.delay
        else this.startTimer(this.#host.wheel, effect.timer, effect.delay)
        return
      case 'stop':
        return this.stopTimer(effect.timer)
      case 'fail':
        return this.#fail(effect.why)
      case 'end':
        return this.end()
      case 'ack':
        return
    }
  }

  #sendTrying(): void {
    if (this.#received === null) return
    this.#bytes = serialize(buildResponse(this.#received.request, 100))
    this.#send()
  }

  #send(): void {
    if (this.#bytes === null || this.#host.send(this.#target, this.#bytes, this.name.callId)) return
    const other = this.#sentByPort === null ? null : reconnectFlow(this.flow, this.#sentByPort, this.#host.transport)
    this.#sentByPort = null
    if (other !== null) this.#target = other
    if (other !== null && this.#host.send(other, this.#bytes, this.name.callId)) return
    this.#isLost = true
    // Later, so that whoever responded hears of the failure after the call returned.
    this.#host.wheel.after(0, () => this.#step({ kind: 'transport-failed' }))
  }

  #deliver(): void {
    if (this.#received === null) return
    try {
      this.#handUp(this.#received)
    } catch (error) {
      this.#host.fault(error)
    }
  }

  #fail(why: 'timeout' | 'transport'): void {
    if (why === 'timeout') this.#host.counts.timeouts++
    const detail = why === 'timeout' ? 'the failure response was never acknowledged' : 'the response cannot be delivered'
    try {
      const events = this.#received?.events ?? this.#events
      events?.onFailed?.(why, detail)
    } catch (error) {
      this.#host.fault(error)
    }
  }

  /** What may wait for half a minute must not hold on to messages. Only an INVITE's later failure still concerns anybody. */
  #letGo(): void {
    const received = this.#received
    this.#received = null
    this.#last = null
    if (received !== null && this.held !== null) {
      this.held = null
      this.#host.turnedAway(received.request)
      return this.end()
    }
    if (this.#machine.ended || this.#bytes === null) return
    if (this.#lingers !== null && !this.#isLost) {
      this.isOver = true
      this.#host.answered(this, { bytes: this.#bytes, flow: this.#target, lingers: this.#lingers })
      this.#bytes = null
      return
    }
    this.name.letGo()
    this.#bytes = this.#host.answers.keep(this.#bytes)
    if (received === null) return
    this.#events = this.#machine instanceof InviteServer ? received.events : null
    this.#host.finished(this)
  }
}

/** A request with what the layer has worked out about it. */
export interface Incoming {
  readonly request: SipRequest
  readonly flow: Flow
  /** In memory of its own. */
  readonly callId: string
  readonly held: Uint8Array | null
}
