import type { Credentials, Flow, Unanswered } from '#sip/agent.ts'
import { type Core, later } from '#sip/agent/core.ts'
import type { Path } from '#sip/agent/path.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { sizeOf } from '#sip/message/serialize.ts'
import type { ClientEvents, ClientTransaction } from '#sip/transaction/layer.ts'
import { isFlow } from '#sip/transport/transport.ts'

/** One question to a peer: what to send, and where. */
export interface Question {
  /** The request of the next attempt, with a CSeq of its own, for the peer of `flow`. */
  build(flow: Flow): SipRequest
  /** The way of attempt `way` (0, 1, ...) after the network failed the one before; null when there is none. */
  path(way: number): Path | Promise<Path> | null
  readonly credentials?: Credentials | undefined
  /** Where it goes was looked up, not learnt from the peer: what is too large for a datagram may go there by TCP (RFC 3261 §18.1.1). */
  readonly isLookedUp?: boolean
  /** The peer wants it otherwise (422); true when the next `build` gives it so. Absent: the owner hears of it. */
  revise?(refusal: SipResponse): boolean
}

/** What comes back, all of it later than `start`. */
export interface ExchangeEvents {
  /** Every response except challenges that were answered; an INVITE may bring several 2xx. */
  onResponse(response: SipResponse, flow: Flow): void
  onFailed(failure: Unanswered): void
}

/** Ways tried before the peer counts as unreachable. */
const MAX_WAYS = 4

/** What fits into a datagram on any path: 1,300 bytes with the Via that is still to come (RFC 3261 §18.1.1). */
const DATAGRAM_BYTES = 1_200

/**
 * A request and what it takes to bring it to a final answer: challenges are answered (RFC 3261 §22.2, §22.3), and where the network
 * fails, the next way is tried, each time in a new transaction with the same Call-ID.
 */
export class Exchange implements ClientEvents {
  readonly #core: Core
  #question: Question
  readonly #events: ExchangeEvents
  #transaction: ClientTransaction | null = null
  /** Answers to the challenges of the last response; they go with the next attempt. */
  #authorization: HeaderLines | null = null
  #shown: HeaderLines = []
  #challenges = 0
  #way = 0
  /** The UDP flow in whose place a TCP connection is tried; `stays` once that failed. */
  #left: Flow | 'stays' | null = null
  #cancelled: HeaderLines | null = null
  #over = false
  /** A failure told before `request` returned, or of an earlier transaction. */
  #failedBefore: { transaction: ClientTransaction; why: 'timeout' | 'transport'; detail: string } | null = null

  constructor(core: Core, question: Question, events: ExchangeEvents) {
    this.#core = core
    this.#question = question
    this.#events = events
  }

  /** The credentials that the last attempt showed. */
  get shown(): HeaderLines {
    return this.#shown
  }

  start(): void {
    this.#tryWay('no way to the peer')
  }

  /** CANCELs an INVITE; what was not sent yet fails at once. */
  cancel(headers: HeaderLines): void {
    if (this.#cancelled !== null || this.#over) return
    this.#cancelled = headers
    if (this.#transaction !== null) this.#transaction.cancel(headers)
    else this.#fail('too-long', 'cancelled before it was sent')
  }

  /** It has been answered, and will not be asked again: what was asked is let go of. Further answers are told of. */
  settled(): void {
    this.#question = asked
  }

  /** No further event; nothing more is sent. */
  abandon(): void {
    this.#over = true
    this.#transaction?.abandon()
  }

  #tryWay(failure: string): void {
    const path = this.#way < MAX_WAYS ? this.#question.path(this.#way++) : null
    if (path === null) this.#fail('transport', failure)
    else if (path instanceof Promise) void path.then((found) => this.#follow(found))
    else this.#follow(path)
  }

  #follow(path: Path): void {
    if (this.#over) return
    if (isFlow(path)) this.#send(path)
    else this.#tryWay(path.detail)
  }

  #send(flow: Flow): void {
    const request = this.#made(flow)
    const stream = this.#streamFor(request, flow)
    if (stream === null) this.#ask(request, flow)
    else {
      this.#left = flow
      this.#ask(this.#made(stream), stream)
    }
  }

  #made(flow: Flow): SipRequest {
    const request = this.#question.build(flow)
    this.#shown = this.#authorization ?? this.#presented(request)
    for (const [name, value] of this.#shown) request.headers.add(name, value)
    return request
  }

  /** A connection for a request that may be lost as a whole with any of its fragments; null: it goes as it is. */
  #streamFor(request: SipRequest, flow: Flow): Flow | null {
    if (this.#question.isLookedUp !== true || flow.transport !== 'udp' || this.#left === 'stays') return null
    return sizeOf(request) > DATAGRAM_BYTES ? this.#core.transport.streamBeside(flow) : null
  }

  #ask(request: SipRequest, flow: Flow): void {
    const transaction = this.#core.transactions.request(request, flow, this)
    this.#transaction = transaction
    const before = this.#failedBefore
    this.#failedBefore = null
    if (before?.transaction === transaction) this.#failed(before.why, before.detail)
    else if (this.#cancelled !== null) transaction.cancel(this.#cancelled)
  }

  // From the transactions; an earlier one concerns nobody any more.

  onResponse(response: SipResponse, flow: Flow, transaction: ClientTransaction): void {
    if (!this.#over && transaction === this.#transaction) this.#answered(transaction, response, flow)
  }

  onFailed(why: 'timeout' | 'transport', detail: string, transaction: ClientTransaction): void {
    if (this.#over) return
    if (transaction === this.#transaction) this.#failed(why, detail)
    else this.#failedBefore = { transaction, why, detail }
  }

  /** What is known from earlier requests to the same peer saves the challenge. */
  #presented(request: SipRequest): HeaderLines {
    const { credentials } = this.#question
    return credentials === undefined ? [] : this.#core.digestFor(credentials).authorise(request)
  }

  #answered(transaction: ClientTransaction, response: SipResponse, flow: Flow): void {
    const { credentials } = this.#question
    const { request } = transaction
    const isChallenge = response.status === 401 || response.status === 407
    if (credentials !== undefined && this.#cancelled === null && isChallenge && request !== null) {
      const answer = this.#core.digestFor(credentials).challenged(response, request, this.#challenges++)
      if (answer.kind === 'retry') {
        this.#authorization = answer.headers
        this.#send(transaction.flow)
        return
      }
    } else if (credentials !== undefined && response.status >= 200) {
      this.#core.digestFor(credentials).learn(response)
    }
    if (response.status === 422 && this.#cancelled === null && this.#question.revise?.(response) === true) this.#send(transaction.flow)
    else this.#events.onResponse(response, flow)
  }

  #failed(why: 'timeout' | 'transport', detail: string): void {
    const left = this.#left
    if (why !== 'transport' || this.#cancelled !== null) this.#fail(why, detail)
    else if (left === null || left === 'stays') this.#tryWay(detail)
    else {
      this.#left = 'stays'
      this.#send(left)
    }
  }

  #fail(why: Unanswered['why'], detail: string): void {
    if (this.#over) return
    this.#over = true
    later(this.#core, () => this.#events.onFailed({ kind: 'unanswered', why, detail }))
  }
}

const asked: Question = {
  build: () => {
    throw new Error('this was answered already')
  },
  path: () => null,
}
