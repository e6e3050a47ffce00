import { Chains, hashOf } from '#sip/chains.ts'
import type { Millis } from '#base/clock.ts'
import { flatText } from '#base/flat-text.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'
import { KeptBytes } from '#sip/kept-bytes.ts'
import { buildResponse } from '#sip/message/build.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import { formatVia, MAGIC_COOKIE } from '#sip/message/via.ts'
import type { SipTrace } from '#sip/trace.ts'
import { Finished } from '#sip/transaction/finished.ts'
import { Gate } from '#sip/transaction/admission.ts'
import { ClientRun } from '#sip/transaction/client.ts'
import type { Counts, Run, TransactionHost } from '#sip/transaction/host.ts'
import { responseFlow } from '#sip/transaction/response-flow.ts'
import { type Incoming, ServerRun } from '#sip/transaction/server.ts'
import { NOWHERE } from '#sip/transaction/answered-columns.ts'
import { ServerName } from '#sip/transaction/server-name.ts'
import { ServerTable } from '#sip/transaction/server-table.ts'
import { StatelessAcks } from '#sip/transaction/stateless-acks.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import { statelessTag } from '#sip/transport/stateless-tag.ts'
import { defaultTimerBase, type Timings, timings } from '#sip/transaction/timings.ts'
import type {
  ClientEvents,
  ClientTransaction,
  ServerTransaction,
  TransactionCounts,
  TransactionOptions,
  TransactionUser,
  Transactions,
} from '#sip/transaction/transaction.ts'
import { defaultPort, type Transport, type TransportReceiver } from '#sip/transport/transport.ts'

export type * from '#sip/transaction/transaction.ts'

/**
 * As often as Timer E has a request sent again before Timer F (RFC 3261 §17.1.2.2), and oftener than Timer A does. Up to then it is the network or
 * we ourselves who are slow, and an office or a proxy that asks again must not be taken for a flood just then.
 */
const MOST_REPEATS = 10

/** What the layer is built from. The caller starts the transport with the layer as receiver, and closes it after the layer. */
export interface TransactionParts {
  transport: Transport
  user: TransactionUser
  wheel: TimerWheel
  random: Random
  log: Log
  /** Gets every message of every call; absent: none is kept. */
  trace?: Pick<SipTrace, 'record' | 'keep'>
  /** Hears of messages that lead to nothing, and says where phones are known to be. */
  watch?: Pick<SourceWatch, 'offends' | 'trusts'>
  options?: Partial<TransactionOptions>
}

export const defaultTransactionOptions: TransactionOptions = {
  ...defaultTimerBase,
  tryingAfter: 0,
  maxTransactions: 20_000,
  maxFinished: 32_768,
  maxStrangers: 2_048,
  maxLateness: 250,
  retryAfter: 5,
  shedPerSecond: 2_000,
}

/** Matches messages to transactions, runs the machines, answers what needs no transaction user. */
export class TransactionLayer implements Transactions, TransportReceiver, TransactionHost {
  readonly wheel: TimerWheel
  readonly transport: Transport
  readonly answers = new KeptBytes()
  readonly counts: Counts & Pick<TransactionCounts, 'clients' | 'servers' | 'finished'>
  readonly #user: TransactionUser
  readonly #handUp = (transaction: ServerTransaction): void => this.#user.onRequest(transaction)
  readonly #random: Random
  readonly #log: Log
  readonly #trace: TransactionParts['trace'] | null
  readonly #gate: Gate
  readonly #watch: Pick<SourceWatch, 'offends' | 'trusts'> | null
  readonly #unreliable: Timings
  readonly #reliable: Timings
  /** By their branches, which are random and ours. */
  readonly #clients = new Chains<ClientRun>()
  readonly #servers = new ServerTable()
  #isClosed = false
  readonly #finished: Finished
  readonly #maxStrangers: number
  readonly #acks = new StatelessAcks()
  readonly #clientsOfConnection = new Map<number, Set<ClientRun>>()

  constructor(parts: TransactionParts) {
    const options = { ...defaultTransactionOptions, ...parts.options }
    this.wheel = parts.wheel
    this.transport = parts.transport
    this.#finished = new Finished(parts.wheel, options.maxFinished, this.answers)
    this.counts = gauged(this.#clients, this.#servers, this.#finished)
    this.#maxStrangers = options.maxStrangers
    this.#user = parts.user
    this.#random = parts.random
    this.#log = parts.log
    this.#trace = parts.trace ?? null
    this.#gate = new Gate(parts.wheel, options)
    this.#watch = parts.watch ?? null
    this.#unreliable = timings(options, false, options.tryingAfter)
    this.#reliable = timings(options, true, options.tryingAfter)
  }

  // For the transaction user

  request(request: SipRequest, flow: Flow, events: ClientEvents): ClientTransaction {
    return this.run(request, this.#putVia(request, flow), flow, events)
  }

  acknowledge(ack: SipRequest, flow: Flow): () => void {
    this.#putVia(ack, flow)
    const bytes = serialize(ack)
    // The result lives as long as the call: it must not hold on to the request.
    const { callId } = ack.headers
    const send = (): void => void this.send(flow, bytes, callId)
    send()
    return send
  }

  drain(retryAfterSeconds: number | null): void {
    this.#gate.drain(retryAfterSeconds)
  }

  close(): void {
    this.#isClosed = true
    for (const client of this.#clients.all()) client.abandon()
    for (const server of this.#servers.all()) server.end()
    this.#finished.clearAnswered()
  }

  // From the transport

  onRequest(request: SipRequest, flow: Flow, bytes: Uint8Array): void {
    this.counts.requestsIn++
    const { method } = request
    const known = this.#servers.find(request, method === 'ACK' ? 'INVITE' : method)
    const answered = known === null && method !== 'ACK' && method !== 'INVITE' ? this.#finished.answered.find(request) : NOWHERE
    const held = known === null && answered === NOWHERE && this.#isOneTooMany(flow) ? bytes : null
    const { callId: shown } = request.headers
    const callId = held === null ? this.#traced(flow, bytes, shown) : flatText(shown)
    if (this.#isClosed) return
    if (method === 'ACK') this.#onAck(request, flow, known)
    else if (known !== null) this.#onRepeat(known, flow)
    else if (answered !== NOWHERE) this.#answerAgain(answered, flow)
    else if (method === 'CANCEL') this.#onCancel({ request, flow, callId, held })
    else this.#onNew({ request, flow, callId, held })
  }

  onResponse(response: SipResponse, flow: Flow, bytes: Uint8Array): void {
    const client = this.#clientOf(response)
    const { callId } = response.headers
    // The text that the trace knows already is found there at once; V8 would look another one up in its own table first.
    if (client !== null || !this.#isOneTooMany(flow))
      this.#trace?.record('in', flow, bytes, client?.callId === callId ? client.callId : callId)
    if (client === null) this.#onStray(response, flow)
    else client.receive(response)
  }

  onFlowFailed(flow: Flow, why: string): void {
    for (const client of this.#clientsOver(flow)) client.transportFailed(why)
    if (flow.connection === null) return
    try {
      this.#user.onFlowFailed(flow, why)
    } catch (error) {
      this.fault(error)
    }
  }

  // For the running transactions

  timingsOf(flow: Flow): Timings {
    return flow.transport === 'udp' ? this.#unreliable : this.#reliable
  }

  send(flow: Flow, bytes: Uint8Array, callId: string): boolean {
    const sent = this.transport.send(flow, bytes)
    if (sent) this.#trace?.record('out', flow, bytes, callId)
    return sent
  }

  run(request: SipRequest, branch: string, flow: Flow, events: ClientEvents): ClientRun {
    const client = new ClientRun(this, request, { branch, flow }, events)
    this.counts.requestsOut++
    this.#clients.add(hashOf(branch), client)
    if (flow.connection !== null) this.#ofConnection(flow.connection).add(client)
    client.begin()
    return client
  }

  proved(server: ServerRun): void {
    this.#take(server)
    this.#trace?.keep(server.name.callId)
  }

  turnedAway(request: SipRequest): void {
    this.#acks.refused(request.method)
  }

  finished(run: Run): void {
    this.#finished.add(run)
  }

  answered(server: ServerRun, { bytes, flow, lingers }: { bytes: Uint8Array; flow: Flow; lingers: Millis }): void {
    const { name, isProved, repeats } = server
    this.#finished.addAnswered(name, { bytes, flow, until: this.wheel.now() + lingers, isProved, repeats })
    this.#servers.delete(name)
  }

  forgetClient(client: ClientRun): void {
    this.#clients.delete(hashOf(client.branch), client)
    this.#finished.delete(client)
    const { connection } = client.flow
    if (connection === null) return
    const over = this.#clientsOfConnection.get(connection)
    over?.delete(client)
    if (over?.size === 0) this.#clientsOfConnection.delete(connection)
  }

  forgetServer(server: ServerRun): void {
    this.#servers.delete(server.name)
    this.#finished.delete(server)
  }

  unmerge({ name }: ServerRun): void {
    this.#servers.unmerge(name)
  }

  fault(error: unknown): void {
    this.counts.faults++
    this.#log.error('a transaction user threw', { error })
  }

  get #unfinished(): number {
    return this.counts.servers + this.#clients.size - this.#finished.size
  }

  /** What a response shares with the request that we sent (RFC 3261 §17.1.3): our branch and the method. Null when it cannot be ours. */
  #clientOf({ headers }: SipResponse): ClientRun | null {
    const { branch } = headers.via
    if (branch === undefined) return null
    const { method } = headers.cseq
    let client = this.#clients.first(hashOf(branch))
    while (client !== null && (client.branch !== branch || client.method !== method)) client = client.next
    return client
  }

  /** Whether as many strangers as we keep anything of have been answered already, and this is no place at which a phone is known. */
  #isOneTooMany(flow: Flow): boolean {
    return this.#finished.strangers >= this.#maxStrangers && this.#watch?.trusts(flow.remote) !== true
  }

  /** What comes in; gives its Call-ID in memory of its own. */
  #traced(flow: Flow, bytes: Uint8Array, callId: string): string {
    return this.#trace?.record('in', flow, bytes, callId) ?? flatText(callId)
  }

  #onNew(incoming: Incoming): void {
    const { request, flow } = incoming
    const admission = this.#gate.admit(request, this.#unfinished)
    if (admission !== 'serve') return this.#refuse(request, flow, admission)
    const merges = request.headers.to.tag === undefined
    if (merges && (this.#servers.hasCopyOf(request) || this.#finished.answered.hasCopyOf(request))) {
      this.counts.merged++
      this.#watch?.offends(flow.remote, 'pointless')
      return this.#answer(request, flow, 482)
    }
    const server = this.#serve(incoming, merges)
    server.begin()
    this.#goesOn(server)
  }

  #serve(incoming: Incoming, merges: boolean): ServerRun {
    const { request, callId, flow } = incoming
    return new ServerRun(this, incoming, new ServerName(request, callId, { merges, source: flow.remote.address }), this.#handUp)
  }

  /** What was held is a transaction like any other. */
  #take(server: ServerRun): void {
    if (server.held !== null) this.#trace?.record('in', server.flow, server.held, server.name.callId)
    server.held = null
  }

  /** It was handed up just now. Most were answered at once, and are never looked for. */
  #goesOn(server: ServerRun): void {
    if (server.isOver) return
    this.#take(server)
    if (this.#isClosed) server.end()
    else this.#servers.add(server.name)
  }

  #onRepeat(known: ServerRun, flow: Flow): void {
    if (known.repeat() > MOST_REPEATS) this.#watch?.offends(flow.remote, 'pointless')
  }

  /** RFC 3261 §17.2.2. `place`: among those that were answered. */
  #answerAgain(place: number, flow: Flow): void {
    this.counts.repeatsIn++
    this.counts.repeatsOut++
    const { answered } = this.#finished
    const repeats = answered.repeated(place)
    if (!this.send(answered.flow(place), answered.bytes(place), answered.callId(place))) this.#finished.endAnswered(place)
    if (repeats > MOST_REPEATS) this.#watch?.offends(flow.remote, 'pointless')
  }

  /** RFC 3261 §17.2.1, §13.3.1.4: an ACK for a failure ends with the transaction, any other goes up. */
  #onAck(ack: SipRequest, flow: Flow, invite: ServerRun | null): void {
    if (invite === null ? this.#acks.absorbs(ack) : !invite.acknowledged()) return
    try {
      this.#user.onAck(ack, flow)
    } catch (error) {
      this.fault(error)
    }
  }

  /**
   * RFC 3261 §9.2. A CANCEL cannot be challenged, so it has to come from where its INVITE came from; else it is as unknown as one that
   * matches nothing.
   */
  #onCancel(incoming: Incoming): void {
    const { request: cancel, flow } = incoming
    if (this.#gate.admit(cancel, this.#unfinished) === 'drop') return this.#refuse(cancel, flow, 'drop')
    const invite = this.#servers.find(cancel, 'INVITE')
    const matches = invite instanceof ServerRun && invite.flow.remote.address === flow.remote.address
    const toTag = (matches ? invite.toTag : undefined) ?? statelessTag(cancel.headers)
    const server = this.#serve(incoming, false)
    if (matches && invite.isProved) server.proved()
    server.respond(buildResponse(cancel, matches ? 200 : 481, undefined, { toTag }))
    this.#goesOn(server)
    if (matches) invite.cancelled(cancel)
    else this.#watch?.offends(flow.remote, 'pointless')
  }

  /** Only what could be an answer to an earlier life of ours goes up: one Via, and it names us (RFC 3261 §8.1.3.3, §18.1.2). */
  #onStray(response: SipResponse, flow: Flow): void {
    this.counts.strayResponses++
    this.#watch?.offends(flow.remote, 'pointless')
    const { vias } = response.headers
    const us = this.transport.advertised(flow)
    if (vias.length !== 1 || vias[0]?.host !== us.host || (vias[0].port ?? defaultPort(flow.transport)) !== us.port) return
    try {
      this.#user.onStrayResponse(response, flow)
    } catch (error) {
      this.fault(error)
    }
  }

  #refuse(request: SipRequest, flow: Flow, how: 'shed' | 'drop'): void {
    if (how === 'drop') {
      this.counts.dropped++
      return
    }
    this.counts.shed++
    this.#answer(request, flow, 503, [['Retry-After', String(this.#gate.retryAfter + this.#random.below(this.#gate.retryAfter + 1))]])
  }

  /** Without a transaction: a repeated request gets the same answer again (RFC 3261 §8.2.7). */
  #answer(request: SipRequest, flow: Flow, status: number, headers: HeaderLines = []): void {
    const response = buildResponse(request, status, undefined, { toTag: statelessTag(request.headers), headers })
    this.#acks.refused(request.method)
    this.send(responseFlow(request, flow), serialize(response), request.headers.callId)
  }

  #putVia({ headers }: SipRequest, flow: Flow): string {
    const branch = `${MAGIC_COOKIE}${this.#random.hex(8)}`
    if (headers.has('Via')) headers.remove('Via')
    const { host, port } = this.transport.advertised(flow)
    headers.prepend('Via', formatVia({ transport: IN_VIA[flow.transport], host, port, branch }))
    return branch
  }

  #ofConnection(connection: number): Set<ClientRun> {
    let over = this.#clientsOfConnection.get(connection)
    if (over === undefined) this.#clientsOfConnection.set(connection, (over = new Set()))
    return over
  }

  /** UDP failures are rare and bounded by their probes: looking at every client then is cheaper than an index always. */
  #clientsOver(flow: Flow): ClientRun[] {
    if (flow.connection !== null) return [...(this.#clientsOfConnection.get(flow.connection) ?? [])]
    const { address, port } = flow.remote
    return this.#clients
      .all()
      .filter(({ flow: { connection, remote } }) => connection === null && remote.port === port && remote.address === address)
  }
}

const IN_VIA: Readonly<Record<Flow['transport'], string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS', ws: 'WS', wss: 'WSS' }

type Sized = { readonly size: number }

function gauged(clients: Sized, servers: Sized, finished: Finished): TransactionLayer['counts'] {
  return {
    get clients() {
      return clients.size
    },
    get servers() {
      return servers.size + finished.answered.size
    },
    get finished() {
      return finished.size
    },
    requestsIn: 0,
    requestsOut: 0,
    repeatsIn: 0,
    repeatsOut: 0,
    shed: 0,
    dropped: 0,
    merged: 0,
    strayResponses: 0,
    timeouts: 0,
    faults: 0,
  }
}
