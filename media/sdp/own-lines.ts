import { CODEC_TERMS } from '#media/codec/codec.ts'
import type { Codec, Direction } from '#media/engine.ts'
import type { Attribute } from '#media/sdp/sdp.ts'

// Attributes of our own descriptions, made once and shared by all: every leg that talks holds on to its description.

/** What is said of one encoding: its rtpmap and its fmtp, without the payload type; and both with it, for each that was needed. */
interface EncodingLines {
  readonly map: string
  readonly terms: string | null
  readonly byType: (readonly Attribute[])[]
}

/** Of a codec of ours. Opus is asked for in mono and with FEC, and at what our ears are worth (RFC 7587 §6.1). */
function linesOfCodec(codec: Codec): EncodingLines {
  const { clockHz, channels, rateHz } = CODEC_TERMS[codec]
  const terms = codec === 'opus' ? `useinbandfec=1;stereo=0;sprop-stereo=0;maxplaybackrate=${rateHz}` : null
  return { map: `${codec}/${clockHz}${channels === 1 ? '' : `/${channels}`}`, terms, byType: [] }
}

function linesOfEvents(clockHz: number): EncodingLines {
  return { map: `telephone-event/${clockHz}`, terms: '0-15', byType: [] }
}

const CODECS: Readonly<Record<Codec, EncodingLines>> = {
  PCMA: linesOfCodec('PCMA'),
  PCMU: linesOfCodec('PCMU'),
  G722: linesOfCodec('G722'),
  opus: linesOfCodec('opus'),
}
const EVENTS = linesOfEvents(8000)
const EVENTS_48K = linesOfEvents(48_000)
const NOISE: EncodingLines = { map: 'CN/8000', terms: null, byType: [] }

/** The rtpmap of a codec of ours, and its fmtp where it has one. */
export function codecLines(codec: Codec, payloadType: number): readonly Attribute[] {
  return linesFor(CODECS[codec], payloadType)
}

/** The same of telephone-events, 0 to 15 (RFC 4733 §2.4.1). */
export function eventLines(clockHz: number, payloadType: number): readonly Attribute[] {
  return linesFor(clockHz === 8000 ? EVENTS : clockHz === 48_000 ? EVENTS_48K : linesOfEvents(clockHz), payloadType)
}

/** The same of comfort noise (RFC 3389 §4). */
export function noiseLines(payloadType: number): readonly Attribute[] {
  return linesFor(NOISE, payloadType)
}

function linesFor({ map, terms, byType }: EncodingLines, payloadType: number): readonly Attribute[] {
  const known = byType[payloadType]
  if (known !== undefined) return known
  const rtpmap = { name: 'rtpmap', value: `${payloadType} ${map}` }
  return (byType[payloadType] = terms === null ? [rtpmap] : [rtpmap, { name: 'fmtp', value: `${payloadType} ${terms}` }])
}

/** How much audio a packet is to hold, milliseconds. */
export function packetTimeLine(ms: number): Attribute {
  return ms === USUAL_MS ? USUAL_TIME : { name: 'ptime', value: String(ms) }
}

const USUAL_MS = 20
const USUAL_TIME: Attribute = { name: 'ptime', value: String(USUAL_MS) }

export const DIRECTION_LINES: Readonly<Record<Direction, Attribute>> = {
  sendrecv: { name: 'sendrecv', value: null },
  sendonly: { name: 'sendonly', value: null },
  recvonly: { name: 'recvonly', value: null },
  inactive: { name: 'inactive', value: null },
}

export const RTCP_MUX: Attribute = { name: 'rtcp-mux', value: null }
