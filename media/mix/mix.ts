import type { RateHz } from '#media/codec/codec.ts'
import { encodeInto, type G711Law } from '#media/codec/g711.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'

/** A beat at 16 kHz, and one at 8. */
const MOST_SAMPLES = (BEAT_MS * 16_000) / 1000
const NARROW_SAMPLES = MOST_SAMPLES / 2

/** Up to here a sum is left as it is; above it is bent, so that it comes near full scale and never clips. */
const KNEE = 20_000
const ABOVE = 32_767 - KNEE

/** What some listeners hear in one beat: made once, encoded once for each law. Used again beat after beat. */
export class Mix {
  rateHz: RateHz = 8000
  readonly #sum = new Float32Array(MOST_SAMPLES)
  readonly #pcm = new Int16Array(MOST_SAMPLES)
  #length = 0
  readonly #octets: Record<G711Law, Uint8Array> = { PCMA: new Uint8Array(NARROW_SAMPLES), PCMU: new Uint8Array(NARROW_SAMPLES) }
  readonly #encoded: Record<G711Law, boolean> = { PCMA: false, PCMU: false }

  begin(rateHz: RateHz): void {
    this.rateHz = rateHz
    this.#length = (BEAT_MS * rateHz) / 1000
    this.#sum.fill(0, 0, this.#length)
    this.#encoded.PCMA = false
    this.#encoded.PCMU = false
  }

  add(pcm: Int16Array, gain: number): void {
    const sum = this.#sum
    for (let i = 0; i < this.#length; i++) sum[i] = (sum[i] as number) + (pcm[i] as number) * gain
  }

  /** Nothing more is added. */
  finish(): void {
    for (let i = 0; i < this.#length; i++) this.#pcm[i] = bent(this.#sum[i] as number)
  }

  get pcm(): Int16Array {
    return this.#pcm.subarray(0, this.#length)
  }

  /** The beat as G.711. Only of a mix at 8 kHz. */
  octets(law: G711Law): Uint8Array {
    const octets = this.#octets[law]
    if (!this.#encoded[law]) encodeInto(law, this.pcm, octets)
    this.#encoded[law] = true
    return octets
  }
}

function bent(value: number): number {
  const size = Math.abs(value)
  if (size <= KNEE) return value
  const over = (size - KNEE) / ABOVE
  return Math.sign(value) * (KNEE + (ABOVE * over) / (1 + over))
}
