import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Flow, TransportName } from '#sip/agent.ts'
import { isKeepAlive } from '#sip/message/framing.ts'
import { Inbox } from '#sip/transport/inbox.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import {
  type Destination,
  type HostPort,
  type NoFlow,
  type Transport,
  type TransportCounts,
  type TransportReceiver,
  zeroCounts,
} from '#sip/transport/transport.ts'

/** How a memory network treats datagrams; streams lose and reorder nothing. Chances in percent. */
export interface Weather {
  delayMs: Millis
  /** Up to so much is added to the delay of each message, so that datagrams overtake each other. */
  jitterMs: Millis
  lossPercent: number
  duplicatePercent: number
}

const FAIR: Weather = { delayMs: 1, jitterMs: 0, lossPercent: 0, duplicatePercent: 0 }

/** A network in one process, on any clock, with repeatable misfortune: for tests and rehearsals. */
export class MemoryNetwork {
  readonly clock: Clock
  readonly random: Random
  weather: Weather
  readonly #hosts = new Map<string, MemoryTransport>()
  #connections = 0

  constructor(clock: Clock, random: Random, weather: Partial<Weather> = {}) {
    this.clock = clock
    this.random = random
    this.weather = { ...FAIR, ...weather }
  }

  /** A transport at an address; every transport protocol at that one port. `watch`: who is listened to; null: everybody. */
  host(address: string, port = 5060, watch: SourceWatch | null = null): MemoryTransport {
    return new MemoryTransport(this, { address, port }, watch)
  }

  /** Used by `MemoryTransport`. */
  attach(host: MemoryTransport): void {
    this.#hosts.set(keyOf(host.local), host)
  }
  detach(host: MemoryTransport): void {
    this.#hosts.delete(keyOf(host.local))
  }
  at(remote: Flow['remote']): MemoryTransport | undefined {
    return this.#hosts.get(keyOf(remote))
  }
  nextConnection(): number {
    return ++this.#connections
  }

  /** Carries one message. */
  carry(transport: TransportName, arrive: () => void): void {
    const { delayMs, jitterMs, lossPercent, duplicatePercent } = this.weather
    if (transport !== 'udp') {
      this.clock.after(delayMs, arrive)
      return
    }
    const copies = this.random.below(100) < lossPercent ? 0 : this.random.below(100) < duplicatePercent ? 2 : 1
    for (let i = 0; i < copies; i++) this.clock.after(delayMs + (jitterMs > 0 ? this.random.below(jitterMs + 1) : 0), arrive)
  }
}

/** One host's end of a memory network. */
export class MemoryTransport implements Transport {
  readonly local: Flow['local']
  readonly counts: TransportCounts = zeroCounts()
  /** Messages that arrived, for assertions: the start line of each. */
  readonly arrived: string[] = []
  readonly #network: MemoryNetwork
  readonly #streams = new Map<number, Flow>()
  readonly #watch: SourceWatch | null
  #inbox: Inbox | null = null

  constructor(network: MemoryNetwork, local: Flow['local'], watch: SourceWatch | null = null) {
    this.#network = network
    this.local = local
    this.#watch = watch
  }

  start(receiver: TransportReceiver): Promise<void> {
    this.#inbox = new Inbox(this.counts, receiver, this.#watch)
    this.#network.attach(this)
    return Promise.resolve()
  }

  open({ transport, address, port }: Destination): Flow | NoFlow {
    if (this.#inbox === null) return { kind: 'no-flow', why: 'closed', detail: 'the transport is not open' }
    const remote = { address, port }
    if (transport === 'udp') return { transport, local: this.local, remote, connection: null }
    const known = [...this.#streams.values()].find((flow) => flow.transport === transport && keyOf(flow.remote) === keyOf(remote))
    if (known !== undefined) return known
    const flow: Flow = { transport, local: this.local, remote, connection: this.#network.nextConnection() }
    this.#streams.set(flow.connection ?? 0, flow)
    const peer = this.#network.at(remote)
    if (peer === undefined) this.#network.clock.after(0, () => this.#ended(flow, 'ECONNREFUSED'))
    else peer.#streams.set(flow.connection ?? 0, { ...flow, local: peer.local, remote: this.local })
    return flow
  }

  streamBeside({ remote }: Flow): Flow | null {
    const known = [...this.#streams.values()].find((flow) => flow.transport === 'tcp' && keyOf(flow.remote) === keyOf(remote))
    if (known === undefined) this.open({ transport: 'tcp', ...remote })
    return known ?? null
  }

  send(flow: Flow, bytes: Uint8Array): boolean {
    if (this.#inbox === null || (flow.connection !== null && !this.#streams.has(flow.connection))) return false
    this.counts.sent++
    this.#network.carry(flow.transport, () => this.#network.at(flow.remote)?.receive(bytes, flow, this.local))
    return true
  }

  /** Breaks a stream connection, as a cable pulled or a process that died would. */
  drop(flow: Flow): void {
    this.#ended(flow, 'closed')
    if (flow.connection !== null) this.#network.at(flow.remote)?.dropped(flow.connection)
  }

  /** Used by the peer's `drop`. */
  dropped(connection: number): void {
    const flow = this.#streams.get(connection)
    if (flow !== undefined) this.#ended(flow, 'closed by the peer')
  }

  /** Used by the peer's `send`. */
  receive(bytes: Uint8Array, sent: Flow, from: Flow['local']): void {
    const flow =
      sent.connection === null
        ? { transport: sent.transport, local: this.local, remote: from, connection: null }
        : this.#streams.get(sent.connection)
    if (this.#inbox === null || flow === undefined) return
    if (isKeepAlive(bytes)) {
      this.counts.keepAlives++
      return
    }
    this.arrived.push(Buffer.from(bytes).toString('latin1').split('\r\n', 1)[0] ?? '')
    this.#inbox.take(bytes, flow, (answer) => void this.send(flow, answer))
  }

  advertised(): HostPort {
    return { host: this.local.address, port: this.local.port }
  }

  localAddressFor(): string {
    return this.local.address
  }

  /** A port where nobody listens is noticed, as ICMP would tell. */
  probe(flow: Flow): void {
    if (flow.connection === null && this.#network.at(flow.remote) === undefined) {
      this.#network.clock.after(2 * this.#network.weather.delayMs, () => this.#inbox?.failed(flow, 'ECONNREFUSED'))
    }
  }

  close(): Promise<void> {
    for (const flow of [...this.#streams.values()]) this.drop(flow)
    this.#network.detach(this)
    this.#inbox = null
    return Promise.resolve()
  }

  #ended(flow: Flow, why: string): void {
    if (flow.connection !== null && this.#streams.delete(flow.connection)) this.#inbox?.failed(flow, why)
  }
}

function keyOf({ address, port }: Flow['remote']): string {
  return `${address} ${port}`
}
