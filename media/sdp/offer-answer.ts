import { CODEC_TERMS } from '#media/codec/codec.ts'
import type { Codec, Direction, SocketAddress, StreamParams } from '#media/engine.ts'
import { acceptRule } from '#media/sdp/accept-rule.ts'
import { type AudioStream, audioStream, direction, type OfferedCodec, receives, sends } from '#media/sdp/audio-stream.ts'
import type { Agreed, LocalMedia, Peer, Refused } from '#media/sdp/local-media.ts'
import { codecLines, DIRECTION_LINES, eventLines, noiseLines, packetTimeLine, RTCP_MUX } from '#media/sdp/own-lines.ts'
import { acceptProtection, answerProtection, linesOf, offerProtection, type Protection } from '#media/sdp/protection.ts'
import { type CryptoLine, cryptoAttribute } from '#media/sdp/crypto.ts'
import type { Attribute, MalformedSdp, MediaDescription, Sdp } from '#media/sdp/sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

/** Payload types that we offer for telephone-event: what nearly everybody uses, and one more on the clock of opus (RFC 4733 §2.4.1). */
export const DTMF_PAYLOAD_TYPE = 101
const DTMF_PAYLOAD_TYPE_48K = 102

/**
 * An offer of one audio stream (RFC 3264 §5). `previous` is our last description in the same dialog, offer or answer: its
 * session id, place of the audio stream and refused streams are kept, its version goes up if anything changed (§8).
 */
export function makeOffer(local: LocalMedia, previous?: Sdp): Sdp {
  const codecs = local.codecs.map((codec) => ({ codec, payloadType: CODEC_TERMS[codec].offeredType }))
  const events: EventType[] = [{ payloadType: local.dtmfPayloadType ?? DTMF_PAYLOAD_TYPE, clockHz: 8000 }]
  if (local.codecs.includes('opus')) events.push({ payloadType: DTMF_PAYLOAD_TYPE_48K, clockHz: 48_000 })
  const { protocol, lines } = offerProtection(local.crypto, linesOf(previous?.media.find(isAudioInUse)))
  const audio = audioMedia({ local, codecs, events, noise: null, direction: local.direction, protocol, lines, rtcpMux: false })
  const media = previous === undefined ? [] : previous.media.map(refuse)
  const place = previous === undefined ? -1 : previous.media.findIndex(isAudioInUse)
  media[place < 0 ? media.length : place] = audio
  return describe(local, media, previous)
}

/**
 * Answers an offer (RFC 3264 §6): the first audio stream that we can serve is taken, with the first of our codecs that it
 * offers; every other stream is refused in its place with port 0. `previous` as for `makeOffer`.
 */
export function answerOffer(exchange: { offer: Sdp; local: LocalMedia; peer: Peer; previous?: Sdp | undefined }): Agreed | Refused {
  const { offer, local, peer } = exchange
  const chosen = choose(offer, local, linesOf(exchange.previous?.media.find(isAudioInUse)))
  if (chosen.kind === 'refused') return chosen
  const { stream, agreed } = chosen
  const ours = direction(sends(local.direction) && receives(stream.direction), receives(local.direction) && sends(stream.direction))
  const audio = audioMedia({
    local,
    codecs: [agreed],
    events: eventsFor(stream, agreed.codec),
    noise: stream.noisePayloadType,
    direction: ours,
    protocol: offer.media[chosen.place]?.protocol ?? 'RTP/AVP',
    lines: chosen.protection.lines,
    rtcpMux: stream.rtcpMux,
  })
  const media = offer.media.map((each, place) => (place === chosen.place ? audio : refuse(each)))
  const sdp = describe(local, media, exchange.previous)
  return { kind: 'agreed', sdp, stream: params({ stream, agreed, direction: ours, local, peer, protection: chosen.protection }) }
}

/**
 * What the answer to our offer settles (RFC 3264 §7). `offer` is the description that `makeOffer` gave. Refused when the
 * answer has no audio stream, or one that we did not offer.
 */
export function acceptAnswer(exchange: { offer: Sdp; answer: Sdp; local: LocalMedia; peer: Peer }): Agreed | Refused {
  const { offer, answer, local, peer } = exchange
  const place = offer.media.findIndex(isAudioInUse)
  const media = answer.media[place]
  const offered = offer.media[place]
  if (media === undefined || offered === undefined || media.type !== 'audio')
    return refused('the answer has no audio stream where the offer has it')
  if (media.port === 0) return refused('the answer refuses the audio stream')
  const protection = acceptProtection(offered, media)
  if ('why' in protection) return refused(protection.why)
  const stream = audioStream(answer, media)
  if (stream.sdpAddress === '') return refused('the audio stream of the answer has no c= line')
  const agreed = stream.codecs.find(({ codec }) => local.codecs.includes(codec))
  if (agreed === undefined) return refused(`the answer has no codec of the offer (${local.codecs.join(', ')})`)
  const wanted = local.direction
  const ours = direction(sends(wanted) && receives(stream.direction), receives(wanted) && sends(stream.direction))
  return { kind: 'agreed', sdp: offer, stream: params({ stream, agreed, direction: ours, local, peer, protection }) }
}

/** The refusal of a body that is no SDP: 400 (RFC 3261 §21.4.1) with the line and the rule. */
export function refuseMalformed(malformed: MalformedSdp): Refused {
  const where = malformed.line === 0 ? 'SDP' : `SDP line ${malformed.line}`
  return { kind: 'refused', status: 400, why: `${where}: expected ${malformed.rule}` }
}

type AgreedCodec = OfferedCodec

interface EventType {
  payloadType: number
  clockHz: number
}

/** The peer's telephone-events that go with a codec: on its clock, else on that of 8 kHz, which many have beside every codec; at most one. */
function eventsFor({ events }: AudioStream, codec: Codec): readonly EventType[] {
  const { clockHz } = CODEC_TERMS[codec]
  const found = events.find((each) => each.clockHz === clockHz) ?? events.find((each) => each.clockHz === 8000)
  return found === undefined ? [] : [found]
}

interface Chosen {
  kind: 'chosen'
  place: number
  stream: AudioStream
  agreed: AgreedCodec
  protection: Protection
}

/** The first audio stream with a protocol, a protection and a codec of ours; otherwise what was wrong with the last one looked at. */
function choose(offer: Sdp, { codecs, crypto }: LocalMedia, previous: readonly CryptoLine[]): Chosen | Refused {
  let why = 'the offer has no audio stream'
  for (const [place, media] of offer.media.entries()) {
    if (!isAudioInUse(media)) continue
    const protection = answerProtection(media, crypto, previous)
    if ('why' in protection) {
      why = protection.why
      continue
    }
    const stream = audioStream(offer, media)
    if (stream.sdpAddress === '') {
      why = 'the audio stream has no c= line'
      continue
    }
    const agreed = preferred(stream, codecs)
    if (agreed !== null) return { kind: 'chosen', place, stream, agreed, protection }
    why = `no common codec: here ${codecs.join(', ')}, offered ${media.formats.slice(0, 16).join(' ')}`
  }
  return refused(why)
}

function preferred(stream: AudioStream, codecs: readonly Codec[]): AgreedCodec | null {
  for (const codec of codecs) {
    const offered = stream.codecs.find((one) => one.codec === codec)
    if (offered !== undefined) return offered
  }
  return null
}

function isAudioInUse(media: MediaDescription): boolean {
  return media.type === 'audio' && media.port !== 0
}

interface AudioMedia {
  local: LocalMedia
  codecs: readonly AgreedCodec[]
  events: readonly EventType[]
  noise: number | null
  direction: Direction
  protocol: string
  lines: readonly CryptoLine[]
  rtcpMux: boolean
}

function audioMedia({ local, codecs, events, noise, direction: ours, protocol, lines, rtcpMux }: AudioMedia): MediaDescription {
  const attributes: Attribute[] = []
  const formats: string[] = []
  for (const { codec, payloadType } of codecs) {
    formats.push(String(payloadType))
    for (const line of codecLines(codec, payloadType)) attributes.push(line)
  }
  if (noise !== null) {
    formats.push(String(noise))
    for (const line of noiseLines(noise)) attributes.push(line)
  }
  for (const { payloadType, clockHz } of events) {
    formats.push(String(payloadType))
    for (const line of eventLines(clockHz, payloadType)) attributes.push(line)
  }
  attributes.push(packetTimeLine(local.ptimeMs), DIRECTION_LINES[ours])
  if (rtcpMux) attributes.push(RTCP_MUX)
  for (const line of lines) attributes.push(cryptoAttribute(line))
  return { type: 'audio', port: local.port, protocol, formats, connection: null, attributes }
}

/** A stream refused in its place: port 0, the rest as it was (RFC 3264 §6). */
function refuse(media: MediaDescription): MediaDescription {
  const { type, protocol, formats } = media
  return { type, port: 0, protocol, formats: formats.slice(0, 1), connection: null, attributes: [] }
}

/** Our description around the streams: same session as `previous`, next version if anything differs (RFC 3264 §8). */
function describe(local: LocalMedia, media: MediaDescription[], previous: Sdp | undefined): Sdp {
  const addressType = local.address.includes(':') ? 'IP6' : 'IP4'
  const { address } = local
  const fresh = { username: '-', sessionId: local.sessionId, version: '1', addressType, address } as const
  const sdp: Sdp = {
    kind: 'sdp',
    origin: previous?.origin ?? fresh,
    sessionName: '-',
    connection: { addressType, address },
    attributes: [],
    media,
  }
  if (previous === undefined || writeSdp(sdp) === writeSdp(previous)) return sdp
  return { ...sdp, origin: { ...sdp.origin, version: String(BigInt(sdp.origin.version) + 1n) } }
}

interface Settled {
  stream: AudioStream
  agreed: AgreedCodec
  direction: Direction
  local: LocalMedia
  peer: Peer
  protection: Protection
}

function params({ stream, agreed, direction: ours, local, peer, protection }: Settled): StreamParams {
  const event = eventsFor(stream, agreed.codec)[0]
  const settled: StreamParams = {
    remote: asKnown(stream.remote, peer),
    rtcp: asKnown(stream.rtcp, peer),
    accept: acceptRule({ sdpAddress: stream.sdpAddress, signallingAddress: peer.signallingAddress, localNetworks: peer.localNetworks }),
    codec: agreed.codec,
    payloadType: agreed.payloadType,
    dtmfPayloadType: event?.payloadType ?? null,
    direction: ours,
    ptimeMs: stream.ptimeMs ?? local.ptimeMs,
    silenceMs: peer.silenceMs,
  }
  if (agreed.opus !== undefined) settled.opus = agreed.opus
  if (event !== undefined && event.clockHz !== 8000) settled.dtmfClockHz = event.clockHz
  if (stream.noisePayloadType !== null) settled.noisePayloadType = stream.noisePayloadType
  if (protection.keys !== null) settled.crypto = protection.keys
  return settled
}

/** The address in the text that we have of it already, where it is the same: a slice of the peer's description would keep all of that in memory. */
function asKnown(address: SocketAddress | null, { signallingAddress }: Peer): SocketAddress | null {
  return address?.address === signallingAddress ? { address: signallingAddress, port: address.port } : address
}

function refused(why: string): Refused {
  return { kind: 'refused', status: 488, why }
}
