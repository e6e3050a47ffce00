import { G711_RATE_HZ } from '#media/codec/g711.ts'

/**
 * Power spectra of windows of a power of two samples (Hann, radix 2, 8 kHz). One instance serves many windows; its result is
 * used again. 256 samples see what moves in 32 ms, 1024 tell frequencies 32 Hz apart.
 */
export class Spectrum {
  readonly size: number
  /** Hz between neighbouring bins. */
  readonly binHz: number
  /** Power by bin, 0 to half the size. */
  readonly power: Float64Array
  readonly #re: Float64Array
  readonly #im: Float64Array
  readonly #hann: Float64Array
  readonly #cos: Float64Array
  readonly #sin: Float64Array
  readonly #reversed: Uint16Array

  constructor(size: 256 | 512 | 1024) {
    this.size = size
    this.binHz = G711_RATE_HZ / size
    this.power = new Float64Array(size / 2 + 1)
    this.#re = new Float64Array(size)
    this.#im = new Float64Array(size)
    this.#hann = Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size))
    this.#cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size))
    this.#sin = Float64Array.from({ length: size / 2 }, (_, i) => Math.sin((2 * Math.PI * i) / size))
    this.#reversed = Uint16Array.from({ length: size }, (_, i) => reversedBits(i, Math.log2(size)))
  }

  /** The spectrum of the window from `at`; samples beyond the end are silence. */
  of(pcm: Int16Array, at: number): Float64Array {
    const size = this.size
    for (let i = 0; i < size; i++) this.#re[this.#reversed[i] as number] = (pcm[at + i] ?? 0) * (this.#hann[i] as number)
    this.#im.fill(0)
    for (let span = 2; span <= size; span *= 2) this.#stage(span)
    for (let bin = 0; bin <= size / 2; bin++) this.power[bin] = ((this.#re[bin] as number) ** 2 + (this.#im[bin] as number) ** 2) / size
    return this.power
  }

  /** One stage of the transform: butterflies of so many samples. */
  #stage(span: number): void {
    const re = this.#re
    const im = this.#im
    const half = span / 2
    const stride = this.size / span
    for (let start = 0; start < this.size; start += span) {
      for (let k = 0; k < half; k++) {
        const c = this.#cos[k * stride] as number
        const s = this.#sin[k * stride] as number
        const even = start + k
        const odd = even + half
        const oddRe = (re[odd] as number) * c + (im[odd] as number) * s
        const oddIm = (im[odd] as number) * c - (re[odd] as number) * s
        re[odd] = (re[even] as number) - oddRe
        im[odd] = (im[even] as number) - oddIm
        re[even] = (re[even] as number) + oddRe
        im[even] = (im[even] as number) + oddIm
      }
    }
  }
}

function reversedBits(value: number, bits: number): number {
  let reversed = 0
  for (let bit = 0; bit < bits; bit++) if (value & (1 << bit)) reversed |= 1 << (bits - 1 - bit)
  return reversed
}
