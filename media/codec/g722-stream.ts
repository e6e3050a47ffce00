import type { Decoder, Encoder } from '#media/codec/codec.ts'
import { G722Decoder, G722Encoder } from '#media/codec/g722.ts'
import { Concealer } from '#media/dsp/concealer.ts'

/** G.722 as a stream of packets. */
export class G722StreamDecoder implements Decoder {
  readonly rateHz = 16_000
  readonly #decoder = new G722Decoder()
  readonly #concealer = new Concealer(16_000)

  decode(payload: Uint8Array, pcm: Int16Array): number {
    const count = this.#decoder.decode(payload, pcm)
    this.#concealer.good(pcm.subarray(0, count))
    return count
  }

  conceal(pcm: Int16Array): void {
    this.#concealer.conceal(pcm)
  }

  recover(): boolean {
    return false
  }

  free(): void {}
}

export class G722StreamEncoder implements Encoder {
  readonly rateHz = 16_000
  readonly #encoder = new G722Encoder()

  encode(pcm: Int16Array, payload: Uint8Array, at: number): number {
    return this.#encoder.encode(pcm, payload, at)
  }

  expectSource(): void {}

  expectLoss(): void {}

  free(): void {}
}
