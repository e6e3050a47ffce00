import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { WorkMeter } from '#base/work-meter.ts'
import type { Flow, TransportName } from '#sip/agent.ts'
import { Addresses, isWildcard, type Reach } from '#sip/transport/addresses.ts'
import { Connections, type StreamLimits } from '#sip/transport/connections.ts'
import { type BindDatagrams, nodeDatagrams } from '#sip/transport/datagrams.ts'
import { Doorway } from '#sip/transport/doorway.ts'
import { Inbox } from '#sip/transport/inbox.ts'
import type { ListenAt } from '#sip/transport/port-taken.ts'
import { RecentMap } from '#base/recent-map.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import { StreamConnection, TcpListener } from '#sip/transport/tcp.ts'
import { TlsListener } from '#sip/transport/tls.ts'
import { type Sighting, StunClient } from '#sip/transport/stun-client.ts'
import { type KeyedCertificate, TlsKeys, type TlsSettings } from '#sip/transport/tls-keys.ts'
import {
  type Destination,
  type HostPort,
  isWebSocket,
  type NoFlow,
  type Transport,
  type TransportCounts,
  type TransportReceiver,
  zeroCounts,
} from '#sip/transport/transport.ts'
import { UdpProbe } from '#sip/transport/udp-probe.ts'
import { UdpSocket } from '#sip/transport/udp-socket.ts'
import { type OriginCheck, sameOrigin, WebSocketListener, type WebSocketServerAt } from '#sip/transport/websocket.ts'

/** What to listen on, and how the world sees it. */
export interface SipTransportOptions {
  udp?: readonly ListenAt[]
  tcp?: readonly ListenAt[]
  tls?: readonly ListenAt[]
  ws?: readonly ListenAt[]
  wss?: readonly ListenAt[]
  /** What TLS is spoken with; absent: nothing to show, which will do for connections of ours. */
  keys?: TlsSettings
  reach?: Reach
  /** How UDP sockets are bound; default: through `node:dgram`. */
  datagrams?: BindDatagrams
  limits?: Partial<StreamLimits>
  /** Who is listened to; absent: everybody. */
  watch?: SourceWatch
  /** Where the work for what comes in is put down; absent: nowhere. */
  meter?: WorkMeter
  /** Default `sameOrigin`. */
  origin?: OriginCheck
}

/** Peers whose readiness for TCP is known, and for how long. */
const SOUGHT = 1_000
const SEEK_AGAIN_MS: Millis = 600_000

type Local = { readonly address: string; readonly port: number }
interface Listener {
  readonly local: Local
  close(): Promise<void>
}

/** The sockets of the SIP room: UDP, TCP, TLS and WebSocket, plain and secure, on any number of local addresses. */
export class SipTransport implements Transport {
  readonly counts: TransportCounts = zeroCounts()
  readonly #options: SipTransportOptions
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  readonly #addresses: Addresses
  #udp: UdpSocket[] = []
  readonly #keys: TlsKeys
  readonly #datagrams: BindDatagrams
  #tcp: Listener[] = []
  #tls: TlsListener[] = []
  #ws: WebSocketServerAt[] = []
  #wss: WebSocketServerAt[] = []
  #doorway: Doorway | null = null
  #connections: Connections | null = null
  #upgrader: WebSocketListener | null = null
  #probe: UdpProbe | null = null
  /** Since when a connection beside a UDP peer is not tried again. */
  readonly #sought = new RecentMap<Millis>(SOUGHT)

  constructor(clock: Clock, wheel: TimerWheel, options: SipTransportOptions) {
    this.#clock = clock
    this.#wheel = wheel
    this.#options = options
    this.#datagrams = options.datagrams ?? nodeDatagrams
    this.#addresses = new Addresses(clock, options.reach ?? {})
    this.#keys = new TlsKeys(options.keys ?? { certificates: [] })
  }

  async start(receiver: TransportReceiver): Promise<void> {
    const inbox = new Inbox(this.counts, receiver, this.#options.watch ?? null, this.#options.meter)
    const connections = new Connections(inbox, this.#wheel, this.#options.limits ?? {})
    const doorway = new Doorway(connections)
    const upgrader = new WebSocketListener(connections, doorway, this.#options.origin ?? sameOrigin)
    this.#doorway = doorway
    this.#connections = connections
    this.#upgrader = upgrader
    this.#probe = new UdpProbe(this.#wheel, (flow, why) => inbox.failed(flow, why))
    try {
      for (const at of this.#options.udp ?? []) this.#udp.push(await UdpSocket.bind(at, inbox, this.#datagrams))
      for (const at of this.#options.tcp ?? []) this.#tcp.push(await TcpListener.listen(at, connections))
      for (const at of this.#options.tls ?? []) this.#tls.push(await TlsListener.listen(at, connections, doorway, this.#keys))
      for (const at of this.#options.ws ?? []) this.#ws.push(await upgrader.listen(at, null))
      for (const at of this.#options.wss ?? []) this.#wss.push(await upgrader.listen(at, this.#keys))
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** What is listened on now: the ports that port 0 became. */
  get listening(): { transport: TransportName; address: string; port: number }[] {
    const named = (transport: TransportName, list: readonly { local: Local }[]) => list.map(({ local }) => ({ transport, ...local }))
    const streams = [...named('tcp', this.#tcp), ...named('tls', this.#tls), ...named('ws', this.#ws), ...named('wss', this.#wss)]
    return [...named('udp', this.#udp), ...streams]
  }

  /** Shows these certificates from the next handshake on; connections that stand are left alone. Throws on what cannot be used, and changes nothing then. */
  useCertificates(certificates: readonly KeyedCertificate[]): void {
    this.#keys.use(certificates)
    for (const listener of [...this.#tls, ...this.#wss]) listener.renew(this.#keys)
  }

  /** Peers whose TLS handshake or HTTP upgrade is under way. */
  get handshaking(): number {
    return this.#doorway?.size ?? 0
  }

  /** For a web server that shares its port: takes over an HTTP upgrade to the subprotocol `sip`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#upgrader === null) socket.destroy()
    else this.#upgrader.upgrade(request, socket, head)
  }

  open(to: Destination): Flow | NoFlow {
    const { transport, address, port } = to
    if (this.#connections === null || this.#connections.isClosing) return noFlow('closed', 'the transport is not open')
    if (transport === 'udp') {
      const socket = this.#udpTowards(address)
      return socket?.flowTo({ address, port }) ?? noFlow('family', `no UDP socket reaches ${address}`)
    }
    const expects = transport === 'tls' ? (to.expects ?? { name: address, trust: 'authorities' as const }) : undefined
    const known = this.#connections.byRemote(transport, { address, port }, expects)
    if (known !== undefined) return known.flow
    if (isWebSocket(transport)) return noFlow('transport', 'a WebSocket can only be opened by the client')
    if (!this.#connections.admits(address)) return noFlow('full', 'the limit of connections is reached')
    const listener = listenerFor(this.#tcp, address)
    const from = listener === undefined || isWildcard(listener.local.address) ? undefined : listener.local.address
    return StreamConnection.connecting(this.#connections, to, from, this.#keys).flow
  }

  streamBeside({ remote }: Flow): Flow | null {
    const known = this.#connections?.byRemote('tcp', remote)
    // A connection of ours has a port of its own only once it stands.
    if (known !== undefined) return known.flow.local.port === 0 ? null : known.flow
    const key = `${remote.address} ${remote.port}`
    const now = this.#clock.now()
    if (now < (this.#sought.get(key) ?? Number.NEGATIVE_INFINITY) + SEEK_AGAIN_MS) return null
    this.#sought.set(key, now)
    this.open({ transport: 'tcp', ...remote })
    return null
  }

  send(flow: Flow, bytes: Uint8Array): boolean {
    if (flow.connection !== null) return this.#connections?.byNumber(flow.connection)?.send(bytes) ?? false
    return this.#udpOf(flow)?.send(bytes, flow.remote) ?? false
  }

  advertised(flow: Flow): HostPort {
    const bound = flow.connection === null ? flow.local.address : this.#streamAddress(flow)
    return { host: this.#addresses.advertisedTo(flow.remote.address, bound), port: this.#portOf(flow) }
  }

  localAddressFor(remote: string): string {
    const bound = this.#udpTowards(remote)?.local.address ?? listenerFor(this.#tcp, remote)?.local.address
    return this.#addresses.advertisedTo(remote, bound ?? (isV6(remote) ? '::' : '0.0.0.0'))
  }

  /** Asks a STUN server where our UDP port for peers of its family is seen (RFC 8489). `server`: an address; null: no port of that family. */
  seenBy(server: HostPort, how: { random: Random; patienceMs: Millis }): Promise<Sighting> | null {
    const socket = this.#udpTowards(server.host)
    if (socket === undefined) return null
    const client = new StunClient(this.#clock, how.random, (bytes, { host, port }) => void socket.send(bytes, { address: host, port }))
    const hears = (bytes: Uint8Array, { address, port }: Flow['remote']): void => client.receive(bytes, { host: address, port })
    socket.stunListeners.add(hears)
    return client.ask(server, how.patienceMs).finally(() => socket.stunListeners.delete(hears))
  }

  probe(flow: Flow): void {
    if (flow.connection === null) this.#probe?.probe(flow)
  }

  async close(): Promise<void> {
    const listeners: Listener[] = [...this.#udp, ...this.#tcp, ...this.#tls, ...this.#ws, ...this.#wss]
    this.#udp = []
    this.#tcp = []
    this.#tls = []
    this.#ws = []
    this.#wss = []
    this.#probe?.close()
    this.#doorway?.close()
    await Promise.all([this.#connections?.close(), ...listeners.map((listener) => listener.close())])
  }

  /** The socket a flow names, or after a restart with other addresses the one that reaches its peer. */
  #udpOf(flow: Flow): UdpSocket | undefined {
    const { local } = flow
    const same = this.#udp.find(
      (socket) => socket.local === local || (socket.local.port === local.port && socket.local.address === local.address),
    )
    return same ?? this.#udpTowards(flow.remote.address)
  }

  #udpTowards(remote: string): UdpSocket | undefined {
    const v6 = isV6(remote)
    const [only] = this.#udp
    if (this.#udp.length === 1) return only?.isV6 === v6 ? only : undefined
    const candidates = this.#udp.filter((socket) => socket.isV6 === v6)
    if (candidates.length < 2) return candidates[0]
    const source = this.#addresses.sourceTowards(remote, v6 ? '::' : '0.0.0.0')
    return (
      candidates.find((socket) => socket.local.address === source) ??
      candidates.find((socket) => isWildcard(socket.local.address)) ??
      candidates[0]
    )
  }

  /** Our end of a connection; before it stands, what its listener is bound to. */
  #streamAddress({ local, remote }: Flow): string {
    return local.address === ''
      ? (listenerFor(this.#tcp, remote.address)?.local.address ?? (isV6(remote.address) ? '::' : '0.0.0.0'))
      : local.address
  }

  /** Where new requests are taken: a connection of ours left from a port at which nobody listens. */
  #portOf(flow: Flow): number {
    if (flow.transport === 'tcp') return listenerFor(this.#tcp, flow.remote.address)?.local.port ?? flow.local.port
    if (flow.transport === 'tls') return listenerFor(this.#tls, flow.remote.address)?.local.port ?? flow.local.port
    return flow.local.port
  }
}

function noFlow(why: NoFlow['why'], detail: string): NoFlow {
  return { kind: 'no-flow', why, detail }
}

function listenerFor(listeners: readonly Listener[], remote: string): Listener | undefined {
  return listeners.find(({ local }) => isV6(local.address) === isV6(remote)) ?? listeners[0]
}

/** Of two addresses only IPv6 has a colon: to look closer, for each message, would tell no more. */
function isV6(address: string): boolean {
  return address.includes(':')
}
