import { STATIC_PAYLOAD_TYPE } from '#media/codec/g711.ts'
import type { Codec, SocketAddress, StreamParams } from '#media/engine.ts'

/** Ours sends: `sendonly` means that we send and do not listen. */
export function sends(stream: StreamParams): boolean {
  return stream.direction === 'sendrecv' || stream.direction === 'sendonly'
}

export function listens(stream: StreamParams): boolean {
  return stream.direction === 'sendrecv' || stream.direction === 'recvonly'
}

/** What a payload type carries: what was agreed on, or G.711 of the other law by its static type, which some peers send unasked. */
export function codecOf(payloadType: number, stream: StreamParams): Codec | 'event' | null {
  if (payloadType === stream.payloadType) return stream.codec
  if (payloadType === stream.dtmfPayloadType) return 'event'
  if (payloadType === STATIC_PAYLOAD_TYPE.PCMU) return 'PCMU'
  return payloadType === STATIC_PAYLOAD_TYPE.PCMA ? 'PCMA' : null
}

/** RFC 3550 §11: RTCP is on the next port unless SDP says otherwise. */
export function rtcpAddress({ remote, rtcp }: StreamParams): SocketAddress | null {
  if (rtcp !== null || remote === null) return rtcp
  return remote.port < 65_535 ? { address: remote.address, port: remote.port + 1 } : null
}

export function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.address === b.address
}
