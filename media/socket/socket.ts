import type { SocketAddress } from '#media/engine.ts'

/**
 * Takes one datagram: its bytes and where it came from, canonical (see canonicalAddress). The bytes are the receiver's to change, until it
 * returns; the next datagram comes in the same place, so that what is to be kept must be copied.
 */
export type PacketReceiver = (packet: Buffer, address: string, port: number) => void

/** Who looks on, for a packet capture: what arrived and what is sent, before anybody changes it. Must be quick, and must not keep the bytes. */
export type PacketOnlooker = (direction: 'in' | 'out', packet: Uint8Array, remote: SocketAddress) => void

/**
 * One bound UDP socket as the packet path sees it. Three bodies: `direct-socket.ts`, `udp-socket.ts` where that cannot be, and
 * `memory-socket.ts` for tests. Whoever bound it closes it.
 */
export interface PacketSocket {
  readonly local: SocketAddress
  /** Who gets what arrives from now on; null: everything that arrives is dropped, and nobody overhears it. */
  receive: PacketReceiver | null
  /** Null, but while its packets are captured. */
  overhear: PacketOnlooker | null
  /**
   * Sends at once; `packet` may be changed after the call returns. Never throws: what the network refuses is lost, as a
   * packet may be. On a fixed socket `to` must be the address it is fixed to.
   */
  send(packet: Uint8Array, to: SocketAddress): void
  /**
   * From here on the kernel lets in only what this address sends (a connected UDP socket), which costs strangers no time of
   * ours and makes sending cheaper. What had arrived before may still be delivered: the receiver goes on checking. null:
   * open again. A refusal of the kernel leaves the socket open to everybody.
   */
  fix(remote: SocketAddress | null): void
  readonly fixed: boolean
  /** Idempotent. */
  close(): void
}

/** A port for RTP, even, and the next one for RTCP (RFC 3550 §11). */
export interface PortPair {
  readonly local: SocketAddress
  readonly rtp: PacketSocket
  readonly rtcp: PacketSocket
}

/** Why a port could not be bound: `taken` by another program, or `refused` (no such address, no permission). */
export interface BindFault {
  kind: 'taken' | 'refused'
  /** The port of the two that failed. */
  port: number
  /** The system's word for it, such as EADDRINUSE. */
  code: string
}

/** Binds both ports of a pair or none. */
export interface PairBinder {
  bind(local: SocketAddress): Promise<PortPair | BindFault>
  /** Who has a UDP port, in words for the operator; null when that cannot be known. */
  ownerOf(port: number): Promise<string | null>
}

export function isBindFault<Bound extends object>(bound: Bound | BindFault): bound is BindFault {
  return 'kind' in bound
}
