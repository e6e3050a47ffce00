import { CODEC_TERMS } from '#media/codec/codec.ts'
import type { Codec, Direction, OpusTerms, SocketAddress } from '#media/engine.ts'
import { type IpOctets, isUnspecified, parseIp } from '#media/sdp/address.ts'
import { attribute, isNumber } from '#media/sdp/parse-sdp.ts'
import type { Connection, MediaDescription, Sdp } from '#media/sdp/sdp.ts'

/** One payload type of a peer. */
export interface OfferedCodec {
  codec: Codec
  payloadType: number
  /** Of opus: what its fmtp asks of whoever sends. */
  opus?: OpusTerms
}

/** What one `m=audio` of a peer says, read once. */
export interface AudioStream {
  /** Null when it says nowhere (`0.0.0.0`, RFC 3264 §8.4) or gives a name instead of an address. */
  remote: SocketAddress | null
  /** The address as written. */
  sdpAddress: string
  /** Where RTCP goes when it is not port + 1: with the RTP (RFC 5761) or as told (RFC 3605). */
  rtcp: SocketAddress | null
  rtcpMux: boolean
  /** What we know of its payload types, in the peer's order. */
  codecs: readonly OfferedCodec[]
  /** Telephone-events, one for each clock that it names. */
  events: readonly { payloadType: number; clockHz: number }[]
  noisePayloadType: number | null
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
  const ip = connection === null ? null : parseIp(connection.address)
  const address = connection === null || ip === null ? null : connection.address
  const held = connection !== null && isHeld(connection, ip)
  const remote = address === null || held || media.port === 0 ? null : { address, port: media.port }
  const rtcpMux = attribute(media.attributes, 'rtcp-mux') !== null
  const { codecs, events, noisePayloadType } = payloadTypes(media)
  return {
    remote,
    sdpAddress: connection?.address ?? '',
    rtcpMux,
    rtcp: rtcpMux ? remote : rtcpAddress(media, address),
    codecs,
    events,
    noisePayloadType,
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

/** RFC 3264 §8.4: `0.0.0.0`; for IPv6 a name in `.invalid`. */
function isHeld(connection: Connection, ip: IpOctets | null): boolean {
  return ip === null ? /(^|\.)invalid\.?$/i.test(connection.address) : isUnspecified(ip)
}

function payloadTypes(media: MediaDescription): Pick<AudioStream, 'codecs' | 'events' | 'noisePayloadType'> {
  const encodings = encodingsOf(media)
  const codecs: OfferedCodec[] = []
  const events: { payloadType: number; clockHz: number }[] = []
  let noisePayloadType: number | null = null
  for (const format of media.formats) {
    const payloadType = payloadTypeOf(format)
    const encoding = payloadType === null ? undefined : encodings[payloadType]
    if (payloadType === null || encoding === undefined) continue
    const codec = CODEC_BY_ENCODING.get(encoding)
    if (codec === 'opus') codecs.push({ codec, payloadType, opus: opusTerms(media, payloadType) })
    else if (codec !== undefined) codecs.push({ codec, payloadType })
    else if (encoding === 'CN/8000/1') noisePayloadType ??= payloadType
    else if (encoding.startsWith(EVENTS)) events.push({ payloadType, clockHz: Number.parseInt(encoding.slice(EVENTS.length), 10) })
  }
  return { codecs, events, noisePayloadType }
}

/** An encoding as rtpmap names it, in upper case and with its channels: `PCMA/8000/1`. */
const encodingOf = (name: string, clockHz: number | string, channels: number | string): string =>
  `${name.toUpperCase()}/${clockHz}/${channels}`

const CODEC_BY_ENCODING: ReadonlyMap<string, Codec> = new Map(
  (['PCMA', 'PCMU', 'G722', 'opus'] as const).map((codec) => [
    encodingOf(codec, CODEC_TERMS[codec].clockHz, CODEC_TERMS[codec].channels),
    codec,
  ]),
)

const EVENTS = 'TELEPHONE-EVENT/'

/** Payload types are from 0 to this. */
const LAST_TYPE = 127

/** Encodings by payload type before anybody says something else. */
const STATIC_ENCODINGS: readonly (string | undefined)[] = Array.from({ length: LAST_TYPE + 1 }, (_, type) => {
  if (type === 13) return 'CN/8000/1'
  for (const [encoding, codec] of CODEC_BY_ENCODING) if (CODEC_TERMS[codec].staticType === type) return encoding
  return undefined
})

/** Encodings as nearly every rtpmap has them. */
const USUAL_ENCODINGS: ReadonlyMap<string, string> = new Map([
  ...(['PCMA/8000', 'PCMU/8000', 'G722/8000', 'CN/8000', 'telephone-event/8000', 'telephone-event/48000'] as const).map(
    (text) => [text, `${text.toUpperCase()}/1`] as const,
  ),
  ['opus/48000/2', 'OPUS/48000/2'] as const,
])

/** Encodings by payload type: the static ones, and what rtpmap says. */
function encodingsOf(media: MediaDescription): readonly (string | undefined)[] {
  const encodings = STATIC_ENCODINGS.slice()
  for (const { name, value } of media.attributes) {
    if (name !== 'rtpmap' || value === null) continue
    const space = value.indexOf(' ')
    const payloadType = space < 0 ? null : payloadTypeOf(value.slice(0, space))
    if (payloadType === null) continue
    const usual = USUAL_ENCODINGS.get(value.slice(space + 1))
    const map = usual === undefined ? /^\d{1,3} +([A-Za-z0-9._-]{1,64})\/(\d{1,6})(?:\/(\d{1,2}))?/.exec(value) : null
    const encoding = usual ?? (map === null ? undefined : encodingOf(map[1] ?? '', map[2] ?? '', map[3] ?? '1'))
    if (encoding !== undefined) encodings[payloadType] = encoding
  }
  return encodings
}

/** What an opus peer asks of its sender (RFC 7587 §6.1); what is absent or nonsense asks nothing. */
function opusTerms(media: MediaDescription, payloadType: number): OpusTerms {
  const type = String(payloadType)
  const line = media.attributes.find(({ name, value }) => name === 'fmtp' && (value === type || value?.startsWith(`${type} `) === true))
  const text = line?.value ?? ''
  const fec = Number(FEC.exec(text)?.[1] ?? 0) === 1
  const bitrate = Number(BITRATE.exec(text)?.[1] ?? 0)
  return bitrate >= 6000 && bitrate <= 510_000 ? { fec, maxBitrate: bitrate } : { fec }
}

const FEC = /[ ;]useinbandfec=(\d{1,7})(?:[ ;]|$)/i
const BITRATE = /[ ;]maxaveragebitrate=(\d{1,7})(?:[ ;]|$)/i

function payloadTypeOf(format: string): number | null {
  return isNumber(format, 3) && Number(format) <= LAST_TYPE ? Number(format) : null
}

/** RFC 3605 §2.1: `a=rtcp:<port> [IN IP4|IP6 <address>]`. */
function rtcpAddress(media: MediaDescription, rtpAddress: string | null): SocketAddress | null {
  const text = attribute(media.attributes, 'rtcp')
  if (text === null) return null
  const told = /^(\d{1,5})(?: +IN +IP[46] +(\S{1,45}))?/.exec(text)
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
  return text !== null && isNumber(text, 10) ? Number(text) : null
}
