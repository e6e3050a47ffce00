import type { Flow, SendTo, TransportName } from '#sip/agent.ts'
import type { MalformedRule } from '#sip/message/malformed.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

/** Where to send: `address` is an IP literal here (names are resolved before, see `Resolver`). */
export type Destination = SendTo

/** Ports where a URI or Via names none (RFC 3261 §19.1.2, RFC 7118 §5.4). */
const DEFAULT_PORTS: Readonly<Record<TransportName, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 }

export function defaultPort(transport: TransportName): number {
  return DEFAULT_PORTS[transport]
}

/** True where everything between us and the peer is encrypted. */
export function isSecure(transport: TransportName): boolean {
  return transport === 'tls' || transport === 'wss'
}

/** True where a connection carries one message per frame, and only the client can make it (RFC 7118). */
export function isWebSocket(transport: TransportName): boolean {
  return transport === 'ws' || transport === 'wss'
}

/** What goes into a Via sent-by or a Contact. IPv6 hosts without brackets, as everywhere but on the wire. */
export interface HostPort {
  host: string
  port: number
}

/** Why no flow could be had. `family`: no local socket speaks IPv4 or IPv6 as needed; `full`: the connection limit; `closed`: we are closing. */
export interface NoFlow {
  kind: 'no-flow'
  why: 'family' | 'transport' | 'full' | 'closed'
  detail: string
}

/**
 * The port through which the transaction layer reaches the network: whole SIP messages out over a flow, parsed messages in.
 * Bodies: `SipTransport` (sockets) and `MemoryTransport` (two agents in one process, on virtual time).
 */
export interface Transport {
  /** Opens the sockets and begins to deliver. Rejects with `PortTakenError` and the like; then nothing is left open. */
  start(receiver: TransportReceiver): Promise<void>
  /**
   * The flow that reaches `destination`: the right local UDP socket, or a live connection to that address, or a new one.
   * A connection still being made is a flow already: what is sent waits, within its bound. A failure arrives as `onFlowFailed`.
   */
  open(destination: Destination): Flow | NoFlow
  /**
   * The TCP connection that stands to where a UDP flow leads, for what is too large for a datagram (RFC 3261 §18.1.1). Where none does: null, and
   * one is tried behind it, at most once in ten minutes, so that nothing has to wait to learn whether the peer takes TCP at all.
   */
  streamBeside(flow: Flow): Flow | null
  /**
   * Sends one message; never waits, never throws. False when the flow is gone, so that nothing was sent. The bytes are
   * kept until written and must not change.
   */
  send(flow: Flow, bytes: Uint8Array): boolean
  /** What the peer of this flow should call us: for Via sent-by and Contact. The public address unless the peer is in a local network. */
  advertised(flow: Flow): HostPort
  /** The address that packets to `remote` (an IP literal) leave from, or the public address when `remote` is outside the local networks: for SDP. */
  localAddressFor(remote: string): string
  /** Asks the network whether a silent UDP peer is there at all; an ICMP error arrives as `onFlowFailed`. Costs nothing on streams. */
  probe(flow: Flow): void
  /** Stops accepting, sends what is buffered, closes every socket. Idempotent. */
  close(): Promise<void>
}

/** What a transport tells its one owner. None of these may throw. */
export interface TransportReceiver {
  /** A valid request, its top Via stamped with received and rport (RFC 3261 §18.2.1, RFC 3581 §4). `bytes` are as they came. */
  onRequest(request: SipRequest, flow: Flow, bytes: Uint8Array): void
  onResponse(response: SipResponse, flow: Flow, bytes: Uint8Array): void
  /** A stream connection ended or could not be made, or a UDP peer is known to be unreachable (ICMP, no route). On UDP the flow's local port may be approximate. */
  onFlowFailed(flow: Flow, why: string): void
}

/** Why a message or a connection was not taken: a rule of the parser, or a limit of the transport. */
export type RefusalCause = MalformedRule | 'connection-limit' | 'handshake' | 'slow' | 'idle' | 'outbound-full' | 'websocket' | 'banned'

/** Counters since the start, and how many connections are open. */
export interface TransportCounts {
  received: number
  sent: number
  keepAlives: number
  refused: Partial<Record<RefusalCause, number>>
  connectionsOpened: number
  connectionsOpen: number
  flowsFailed: number
}

/** Counters at zero. */
export function zeroCounts(): TransportCounts {
  return { received: 0, sent: 0, keepAlives: 0, refused: {}, connectionsOpened: 0, connectionsOpen: 0, flowsFailed: 0 }
}

export function countRefused(counts: TransportCounts, cause: RefusalCause): void {
  counts.refused[cause] = (counts.refused[cause] ?? 0) + 1
}

/** What is asked of a URI, or of a configured peer, to know where to send. */
export interface LocationQuestion {
  /** Name or IP literal. */
  host: string
  /** Null: none is named, so SRV decides. */
  port: number | null
  /** Null: none is named, so NAPTR decides. */
  transport: TransportName | null
  /** A SIPS URI: nothing but TLS will do. */
  secure?: boolean
}

/** Names to addresses (RFC 3263): NAPTR when no transport is named, SRV when no port is, A and AAAA always. */
export interface Resolver {
  /** In the order to try; empty when the name does not exist or nobody answered. An IP literal resolves to itself at once. Never rejects. */
  resolve(question: LocationQuestion): Promise<readonly Destination[]>
  /** Sending there failed, or was answered 503: it is tried last for a while (RFC 3263 §4.3). */
  failed?(destination: Destination): void
}

/** True for a flow, false for `NoFlow`. */
export function isFlow(value: Flow | NoFlow): value is Flow {
  return !('kind' in value)
}
