/** Reads `frames` mono samples from frame `from` into `out` (its beginning), as floats in the scale of PCM16. */
export type SampleReader = (from: number, frames: number, out: Float32Array) => void

/** The telephone band reaches 3.4 kHz; half of 8 kHz is 4 kHz: the filter falls between them and a little beyond. */
const PASS_HZ = 3400
const STOP_HZ = 4200
const ATTENUATION_DB = 70

const OUT_HZ = 8000

/** Rates that have no simple ratio to 8 kHz would need thousands of phases; as many as this put the error below what G.711 hides. */
const MOST_ROWS = 1024

/**
 * Down-sampling to 8 kHz by any ratio, with a polyphase FIR low-pass (Kaiser window, 70 dB down from 4.2 kHz): each output
 * sample is one inner product of input samples with the phase of the filter that falls on it, so no output depends on an
 * earlier one and any range can be asked for. A rate of 8 kHz passes through untouched.
 */
export class Resampler {
  readonly outFrames: number
  readonly #read: SampleReader
  readonly #frames: number
  /** Input frames per output frame, as a fraction in lowest terms: step / phases. */
  readonly #step: number
  readonly #phases: number
  readonly #taps: number
  /** `rows` rows of `taps` coefficients. */
  readonly #filter: Float32Array
  readonly #rows: number
  #scratch = new Float32Array(0)

  constructor(rateHz: number, frames: number, read: SampleReader) {
    const divisor = greatestCommonDivisor(rateHz, OUT_HZ)
    this.#step = rateHz / divisor
    this.#phases = OUT_HZ / divisor
    this.#frames = frames
    this.#read = read
    this.outFrames = Math.floor((frames * this.#phases) / this.#step)
    this.#taps = rateHz === OUT_HZ ? 1 : tapsFor(rateHz)
    this.#rows = Math.min(this.#phases, MOST_ROWS)
    this.#filter = rateHz === OUT_HZ ? Float32Array.of(1) : designFilter(rateHz, this.#rows, this.#taps)
  }

  /** Writes output frames [from, from + out.length) into `out`, rounded and kept within 16 bit. */
  range(from: number, out: Int16Array): void {
    const taps = this.#taps
    const half = (taps - 1) >> 1
    const first = this.#inputOf(from) - half
    const needed = this.#inputOf(from + out.length - 1) - half + taps - first
    const input = this.#window(first, needed)
    for (let i = 0; i < out.length; i++) {
      const position = (from + i) * this.#step
      const start = Math.floor(position / this.#phases) - half - first
      const row = Math.floor(((position % this.#phases) * this.#rows) / this.#phases) * taps
      let sum = 0
      for (let k = 0; k < taps; k++) sum += (input[start + k] as number) * (this.#filter[row + k] as number)
      out[i] = Math.max(-32768, Math.min(32767, Math.round(sum)))
    }
  }

  #inputOf(outFrame: number): number {
    return Math.floor((outFrame * this.#step) / this.#phases)
  }

  /** Input frames from `first` on, zeros before the beginning and after the end. */
  #window(first: number, needed: number): Float32Array {
    if (this.#scratch.length < needed) this.#scratch = new Float32Array(needed)
    const window = this.#scratch
    window.fill(0, 0, needed)
    const from = Math.max(0, first)
    const to = Math.min(this.#frames, first + needed)
    if (to > from) this.#read(from, to - from, window.subarray(from - first, to - first))
    return window
  }
}

/** Kaiser's estimate of the length of the filter, odd so that it has a middle. */
function tapsFor(rateHz: number): number {
  const transition = (2 * Math.PI * (STOP_HZ - PASS_HZ)) / rateHz
  return Math.ceil((ATTENUATION_DB - 8) / (2.285 * transition)) | 1
}

function designFilter(rateHz: number, phases: number, taps: number): Float32Array {
  const filter = new Float32Array(phases * taps)
  const beta = 0.1102 * (ATTENUATION_DB - 8.7)
  const cutoff = (PASS_HZ + STOP_HZ) / rateHz
  const half = (taps - 1) / 2
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const x = k - half - phase / phases
      const value = sinc(cutoff * x) * kaiser(x / (half + 1), beta)
      filter[phase * taps + k] = value
      sum += value
    }
    // Each phase passes a constant unchanged: no ripple at the phase rate.
    for (let k = 0; k < taps; k++) filter[phase * taps + k] = (filter[phase * taps + k] as number) / sum
  }
  return filter
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

function kaiser(x: number, beta: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta)
}

/** Modified Bessel function of the first kind, order 0, by its series. */
function bessel(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-9; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
