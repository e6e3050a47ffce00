import { CODEC_TERMS, type Decoder, LONGEST_PACKET_MS } from '#media/codec/codec.ts'
import { decodeInto, isG711 } from '#media/codec/g711.ts'
import { openDecoder } from '#media/codec/streams.ts'
import { Halver } from '#media/dsp/half-band.ts'
import type { Codec } from '#media/engine.ts'
import type { VoiceFrame } from '#media/record/recorder.ts'

/** What every recording has. */
const RATE_HZ = 8000

/** One speaker's frames as samples at 8 kHz, whatever their codec, and their timestamps on the clock of 8 kHz. */
export class VoiceDecoder {
  #codec: Codec | null = null
  #decoder: Decoder | null = null
  #halver: Halver | null = null
  /** Timestamps of another clock, as they came last and as told last. */
  #heard = 0
  #told = 0
  readonly #wide = new Int16Array((LONGEST_PACKET_MS * 16_000) / 1000)

  /** Writes the frame's samples to the beginning of `pcm` and returns how many. */
  decode({ codec, payload }: VoiceFrame, pcm: Int16Array): number {
    if (isG711(codec)) {
      this.#codec = codec
      return decodeInto(codec, payload, pcm)
    }
    const decoder = this.#decoderFor(codec)
    if (this.#halver === null) return decoder.decode(payload, pcm)
    return this.#halver.run(this.#wide.subarray(0, decoder.decode(payload, this.#wide)), pcm)
  }

  /** The frame's timestamp at 8 kHz, of any origin, modulo 2^32. */
  timestamp({ codec, timestamp }: VoiceFrame): number {
    const ticks = CODEC_TERMS[codec].clockHz / RATE_HZ
    if (ticks === 1) return timestamp
    this.#told = (this.#told + Math.round(((timestamp - this.#heard) | 0) / ticks)) >>> 0
    this.#heard = timestamp
    return this.#told
  }

  #decoderFor(codec: Codec): Decoder {
    if (this.#decoder !== null && codec === this.#codec) return this.#decoder
    this.free()
    this.#codec = codec
    this.#decoder = openDecoder(codec, RATE_HZ)
    this.#halver = this.#decoder.rateHz > RATE_HZ ? new Halver() : null
    return this.#decoder
  }

  free(): void {
    this.#decoder?.free()
    this.#decoder = null
  }
}
