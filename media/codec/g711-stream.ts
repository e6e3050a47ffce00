import type { Decoder, Encoder } from '#media/codec/codec.ts'
import { decodeInto, encodeInto, type G711Law } from '#media/codec/g711.ts'
import { Concealer } from '#media/dsp/concealer.ts'

/** G.711 as a stream of packets. */
export class G711StreamDecoder implements Decoder {
  readonly rateHz = 8000
  readonly #law: G711Law
  readonly #concealer = new Concealer(8000)

  constructor(law: G711Law) {
    this.#law = law
  }

  decode(payload: Uint8Array, pcm: Int16Array): number {
    const count = decodeInto(this.#law, payload, pcm)
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

export class G711StreamEncoder implements Encoder {
  readonly rateHz = 8000
  readonly #law: G711Law

  constructor(law: G711Law) {
    this.#law = law
  }

  encode(pcm: Int16Array, payload: Uint8Array, at: number): number {
    return encodeInto(this.#law, pcm, payload, at)
  }

  expectSource(): void {}

  expectLoss(): void {}

  free(): void {}
}
