import type { Decoder, Encoder, RateHz } from '#media/codec/codec.ts'
import { G711_PER_MS } from '#media/codec/g711.ts'
import { G711StreamDecoder, G711StreamEncoder } from '#media/codec/g711-stream.ts'
import { G722_OCTETS_PER_MS } from '#media/codec/g722.ts'
import { G722StreamDecoder, G722StreamEncoder } from '#media/codec/g722-stream.ts'
import { OpusDecoder, OpusEncoder } from '#media/codec/opus.ts'
import { opusPacketMs } from '#media/codec/opus-packet.ts'
import type { Codec, OpusTerms } from '#media/engine.ts'

/** A decoder for one stream. `rateHz`: what its listener has use for; where the codec has a choice it is followed. Whoever opens it frees it. */
export function openDecoder(codec: Codec, rateHz: RateHz): Decoder {
  if (codec === 'opus') return new OpusDecoder(rateHz)
  return codec === 'G722' ? new G722StreamDecoder() : new G711StreamDecoder(codec)
}

/** An encoder for one stream. `rateHz`: what its source has; `terms`: what an opus peer asks. Whoever opens it frees it. */
export function openEncoder(codec: Codec, rateHz: RateHz, terms: OpusTerms = NO_TERMS): Encoder {
  if (codec === 'opus') return new OpusEncoder(rateHz, terms)
  return codec === 'G722' ? new G722StreamEncoder() : new G711StreamEncoder(codec)
}

const NO_TERMS: OpusTerms = { fec: false }

/** How long a payload sounds, in milliseconds; 0: it is no frame of the codec. */
export function payloadMs(codec: Codec, payload: Uint8Array): number {
  if (codec === 'opus') return opusPacketMs(payload)
  return payload.length / (codec === 'G722' ? G722_OCTETS_PER_MS : G711_PER_MS)
}
