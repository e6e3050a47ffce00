import type { Codec } from '#media/engine.ts'

/** Sample rates that audio has inside an engine. */
export type RateHz = 8000 | 16_000

/** What RTP and SDP need to know of a codec. */
export interface CodecTerms {
  /** RTP clock, which SDP's rtpmap names. G.722 says 8,000 although it samples at 16,000 (RFC 3551 §4.5.2). */
  clockHz: number
  /** Static payload type (RFC 3551 §6, table 4); null: always dynamic. */
  staticType: number | null
  /** What we offer it as. */
  offeredType: number
  /** Channels that rtpmap names; opus says 2 whatever is sent (RFC 7587 §4.1). */
  channels: 1 | 2
  /** The rate at which its audio is worth having. */
  rateHz: RateHz
}

/** Every codec that can be agreed on. */
export const CODEC_TERMS: Readonly<Record<Codec, CodecTerms>> = {
  PCMU: { clockHz: 8000, staticType: 0, offeredType: 0, channels: 1, rateHz: 8000 },
  PCMA: { clockHz: 8000, staticType: 8, offeredType: 8, channels: 1, rateHz: 8000 },
  G722: { clockHz: 8000, staticType: 9, offeredType: 9, channels: 1, rateHz: 16_000 },
  opus: { clockHz: 48_000, staticType: null, offeredType: 107, channels: 2, rateHz: 16_000 },
}

/** Longest packet that is decoded (RFC 6716 §2.1.4: Opus has up to 120 ms). */
export const LONGEST_PACKET_MS = 120

/** Turns one stream's payloads into samples; keeps the state that the codec carries from packet to packet. */
export interface Decoder {
  readonly rateHz: RateHz
  /** Writes the payload's samples to the beginning of `pcm` (room for 120 ms) and returns how many; 0: it is no frame of this codec. */
  decode(payload: Uint8Array, pcm: Int16Array): number
  /** Fills the whole of `pcm` with what a lost stretch most likely was. */
  conceal(pcm: Int16Array): void
  /** Reconstructs the packet lost directly before this one from what this one carries of it, into the whole of `pcm`. False: it carries nothing. */
  recover(payload: Uint8Array, pcm: Int16Array): boolean
  free(): void
}

/** Turns samples into one stream's payloads. */
export interface Encoder {
  readonly rateHz: RateHz
  /** Encodes one packet time (10 to 60 ms) into `payload` from `at` and returns how many octets; 0: nothing to send yet. */
  encode(pcm: Int16Array, payload: Uint8Array, at: number): number
  /** The rate at which its samples were there before they were brought to `rateHz`: above that there is nothing worth encoding. */
  expectSource(rateHz: RateHz): void
  /** What the peer reports to lose, 0 to 100: spent on redundancy where the codec has any. */
  expectLoss(percent: number): void
  free(): void
}
