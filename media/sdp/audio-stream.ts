import { STATIC_PAYLOAD_TYPE } from '#media/codec/g711.ts'
import type { Codec, Direction, SocketAddress } from '#media/engine.ts'
import { isUnspecified, parseIp } from '#media/sdp/address.ts'
import { attribute } from '#media/sdp/parse-sdp.ts'
import type { Connection, MediaDescription, Sdp } from '#media/sdp/sdp.ts'

/** What one `m=audio` of a peer says, read once. */
export interface AudioStream {
  /** Null when it says nowhere (`0.0.0.0`, RFC 3264 §8.4) or gives a name instead of an address. */
  remote: SocketAddress | null
  /** The address as written. */
  sdpAddress: string
  /** Where RTCP goes when it is not port + 1: with the RTP (RFC 5761) or as told (RFC 3605). */
  rtcp: SocketAddress | null
  rtcpMux: boolean
  /** G.711 payload types in the peer's order. */
  codecs: readonly { codec: Codec; payloadType: number }[]
  dtmfPayloadType: number | null
  /** The peer's own; a peer at `0.0.0.0` does not receive. */
  direction: Direction
  /** What the peer asks to receive, within what we can send (10 to 60 in tens); null when it does not say, or nonsense. */
  ptimeMs: number | null
}

/** Profiles that can be served: AVPF differs from AVP in feedback that we neither send nor need (RFC 4585 §4). */
export function isPlainRtp(protocol: string): boolean {
  return protocol === 'RTP/AVP' || protocol === 'RTP/AVPF'
}

/** The same, protected by SRTP (RFC 3711 §12, RFC 5124). */
export function isSecureRtp(protocol: string): boolean {
  return protocol === 'RTP/SAVP' || protocol === 'RTP/SAVPF'
}

/** Reads one audio stream of a description. */
export function audioStream(sdp: Sdp, media: MediaDescription): AudioStream {
  const connection = media.connection ?? sdp.connection
  const address = addressOf(connection)
  const held = connection !== null && isHeld(connection)
  const remote = address === null || held || media.port === 0 ? null : { address, port: media.port }
  const rtcpMux = attribute(media.attributes, 'rtcp-mux') !== null
  const { codecs, dtmfPayloadType } = payloadTypes(media)
  return {
    remote,
    sdpAddress: connection?.address ?? '',
    rtcpMux,
    rtcp: rtcpMux ? remote : rtcpAddress(media, address),
    codecs,
    dtmfPayloadType,
    direction: directionOf(sdp, media, held),
    ptimeMs: packetTime(media),
  }
}

/** Whether the side with that direction sends. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

/** Whether the side with that direction listens. */
export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** The direction of a side that sends and receives so. */
export function direction(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly'
  return receive ? 'recvonly' : 'inactive'
}

function directionOf(sdp: Sdp, media: MediaDescription, held: boolean): Direction {
  const told = firstDirection(media.attributes) ?? firstDirection(sdp.attributes) ?? 'sendrecv'
  return held ? direction(sends(told), false) : told
}

function firstDirection(attributes: readonly { name: string }[]): Direction | null {
  for (const { name } of attributes)
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') return name
  return null
}

function addressOf(connection: Connection | null): string | null {
  return connection !== null && parseIp(connection.address) !== null ? connection.address : null
}

/** RFC 3264 §8.4: `0.0.0.0`; for IPv6 a name in `.invalid`. */
function isHeld(connection: Connection): boolean {
  const ip = parseIp(connection.address)
  return ip === null ? /(^|\.)invalid\.?$/i.test(connection.address) : isUnspecified(ip)
}

function payloadTypes(media: MediaDescription): Pick<AudioStream, 'codecs' | 'dtmfPayloadType'> {
  const names = encodingNames(media)
  const codecs: { codec: Codec; payloadType: number }[] = []
  let dtmfPayloadType: number | null = null
  for (const format of media.formats) {
    const payloadType = payloadTypeOf(format)
    if (payloadType === null) continue
    const name = names.get(payloadType)
    if (name === 'PCMU' || name === 'PCMA') codecs.push({ codec: name, payloadType })
    else if (name === 'TELEPHONE-EVENT') dtmfPayloadType ??= payloadType
  }
  return { codecs, dtmfPayloadType }
}

/** Upper-case names of the mono 8 kHz encodings by payload type; other rates and channels are left out. */
function encodingNames(media: MediaDescription): Map<number, string> {
  const names = new Map<number, string>([
    [STATIC_PAYLOAD_TYPE.PCMU, 'PCMU'],
    [STATIC_PAYLOAD_TYPE.PCMA, 'PCMA'],
  ])
  for (const { name, value } of media.attributes) {
    if (name !== 'rtpmap' || value === null) continue
    const map = /^(\d{1,3}) +([A-Za-z0-9._-]{1,64})\/(\d{1,6})(?:\/(\d{1,2}))?/.exec(value)
    const payloadType = payloadTypeOf(map?.[1] ?? '')
    if (map === null || payloadType === null) continue
    const narrow = map[3] === '8000' && (map[4] ?? '1') === '1'
    if (narrow) names.set(payloadType, (map[2] ?? '').toUpperCase())
    else names.delete(payloadType)
  }
  return names
}

function payloadTypeOf(format: string): number | null {
  return /^\d{1,3}$/.test(format) && Number(format) <= 127 ? Number(format) : null
}

/** RFC 3605 §2.1: `a=rtcp:<port> [IN IP4|IP6 <address>]`. */
function rtcpAddress(media: MediaDescription, rtpAddress: string | null): SocketAddress | null {
  const told = /^(\d{1,5})(?: +IN +IP[46] +(\S{1,45}))?/.exec(attribute(media.attributes, 'rtcp') ?? '')
  const port = Number(told?.[1] ?? 0)
  const address = told?.[2] ?? rtpAddress
  if (address === null || port < 1 || port > 65_535) return null
  const ip = parseIp(address)
  return ip === null || isUnspecified(ip) ? null : { address, port }
}

function packetTime(media: MediaDescription): number | null {
  const ptime = numberOf(attribute(media.attributes, 'ptime'))
  const most = numberOf(attribute(media.attributes, 'maxptime')) ?? LONGEST_PTIME
  if (ptime !== null && ptime >= 10 && ptime <= LONGEST_PTIME && ptime % 10 === 0) return ptime <= most || most < 10 ? ptime : tens(most)
  return most >= 10 && most < DEFAULT_PTIME ? 10 : null
}

const DEFAULT_PTIME = 20
const LONGEST_PTIME = 60

function tens(ms: number): number {
  return Math.floor(ms / 10) * 10
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d{1,10}$/.test(text) ? Number(text) : null
}
