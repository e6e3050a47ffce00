import { CODEC_TERMS } from '#media/codec/codec.ts'
import { type G711Law, isG711 } from '#media/codec/g711.ts'
import type { Codec, SocketAddress, StreamParams } from '#media/engine.ts'

/** Clock of telephone-events unless SDP says otherwise (RFC 4733 §2.4.1: that of the audio beside it). */
export const EVENT_CLOCK_HZ = 8000

/** Ours sends: `sendonly` means that we send and do not listen. */
export function sends(stream: StreamParams): boolean {
  return stream.direction === 'sendrecv' || stream.direction === 'sendonly'
}

export function listens(stream: StreamParams): boolean {
  return stream.direction === 'sendrecv' || stream.direction === 'recvonly'
}

/** A hold ends between the two, whoever held: audio of one direction or both comes back. */
export function resumes(before: StreamParams | null, stream: StreamParams): boolean {
  if (before === null || !listens(stream)) return false
  return !listens(before) || (sends(stream) && !sends(before))
}

/** What a payload type carries: what was agreed on, or G.711 of the other law by its static type, which some peers send unasked. */
export function codecOf(payloadType: number, stream: StreamParams): Codec | 'event' | 'noise' | null {
  if (payloadType === stream.payloadType) return stream.codec
  if (payloadType === stream.dtmfPayloadType) return 'event'
  if (payloadType === CODEC_TERMS.PCMU.staticType) return 'PCMU'
  if (payloadType === CODEC_TERMS.PCMA.staticType) return 'PCMA'
  return payloadType === COMFORT_NOISE_TYPE ? 'noise' : null
}

/** The law in which sounds are kept for a stream: its own, or A-law for what is encoded from samples anyhow. */
export function lawOf(codec: Codec): G711Law {
  return isG711(codec) ? codec : 'PCMA'
}

/** Static payload type of comfort noise (RFC 3389 §4), which some peers send unasked. */
const COMFORT_NOISE_TYPE = 13

/** RFC 3550 §11: RTCP is on the next port unless SDP says otherwise. */
export function rtcpAddress({ remote, rtcp }: StreamParams): SocketAddress | null {
  if (rtcp !== null || remote === null) return rtcp
  return remote.port < 65_535 ? { address: remote.address, port: remote.port + 1 } : null
}

export function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.address === b.address
}
