/**
 * Half-band low-pass for doubling and halving between 8 and 16 kHz: every other coefficient is zero, so that an output sample costs eight
 * products. Passes 3.2 kHz, 50 dB down from 4.8 kHz (Kaiser window).
 */
const TAPS = 8

/** Of the Kaiser window, for 50 dB. */
const BETA = 4.55

/** Coefficients at odd distances 1, 3, 5, ... from the middle, of one side; the middle is a half. */
const SIDE = designSide()

const [S0 = 0, S1 = 0, S2 = 0, S3 = 0, S4 = 0, S5 = 0, S6 = 0, S7 = 0] = SIDE

/** A filter's past with what comes behind it, so that it runs along one line instead of moving its past for each sample. */
class Line {
  readonly past: number
  samples: Float64Array

  constructor(past: number) {
    this.past = past
    this.samples = new Float64Array(past + 320)
  }

  /** The past and behind it these samples. */
  extend(pcm: Int16Array): Float64Array {
    const { past } = this
    if (past + pcm.length > this.samples.length) {
      const longer = new Float64Array(past + pcm.length)
      longer.set(this.samples.subarray(0, past))
      this.samples = longer
    }
    const line = this.samples
    for (let i = 0; i < pcm.length; i++) line[past + i] = pcm[i] as number
    return line
  }

  /** So many have gone by: the last of them are the past. */
  pass(count: number): void {
    this.samples.copyWithin(0, count, count + this.past)
  }
}

/** Halves the rate of a stream, 16 kHz to 8 kHz; keeps what the filter needs of the past. Delay: 15 samples at 16 kHz. */
export class Halver {
  readonly #line = new Line(4 * TAPS - 3)

  /** Reads an even number of samples and writes half as many. `out` may be `pcm`. Returns how many. */
  run(pcm: Int16Array, out: Int16Array): number {
    const line = this.#line.extend(pcm)
    const count = pcm.length >> 1
    for (let i = 0, m = 2 * TAPS - 1; i < count; i++, m += 2) {
      const sum =
        (line[m] as number) * 0.5 +
        ((line[m - 1] as number) + (line[m + 1] as number)) * S0 +
        ((line[m - 3] as number) + (line[m + 3] as number)) * S1 +
        ((line[m - 5] as number) + (line[m + 5] as number)) * S2 +
        ((line[m - 7] as number) + (line[m + 7] as number)) * S3 +
        ((line[m - 9] as number) + (line[m + 9] as number)) * S4 +
        ((line[m - 11] as number) + (line[m + 11] as number)) * S5 +
        ((line[m - 13] as number) + (line[m + 13] as number)) * S6 +
        ((line[m - 15] as number) + (line[m + 15] as number)) * S7
      out[i] = within16(sum)
    }
    this.#line.pass(2 * count)
    return count
  }
}

/** Doubles the rate of a stream, 8 kHz to 16 kHz. Delay: 8 samples at 8 kHz. */
export class Doubler {
  readonly #line = new Line(2 * TAPS - 1)

  /** Writes two samples for each of `pcm`; `out` is another array. Returns how many. */
  run(pcm: Int16Array, out: Int16Array): number {
    const count = Math.min(pcm.length, out.length >> 1)
    const line = this.#line.extend(pcm)
    for (let i = 0; i < count; i++) {
      const between =
        ((line[i + 7] as number) + (line[i + 8] as number)) * S0 +
        ((line[i + 6] as number) + (line[i + 9] as number)) * S1 +
        ((line[i + 5] as number) + (line[i + 10] as number)) * S2 +
        ((line[i + 4] as number) + (line[i + 11] as number)) * S3 +
        ((line[i + 3] as number) + (line[i + 12] as number)) * S4 +
        ((line[i + 2] as number) + (line[i + 13] as number)) * S5 +
        ((line[i + 1] as number) + (line[i + 14] as number)) * S6 +
        ((line[i] as number) + (line[i + 15] as number)) * S7
      out[2 * i] = line[i + 7] as number
      out[2 * i + 1] = within16(between * 2)
    }
    this.#line.pass(count)
    return count * 2
  }
}

function designSide(): Float32Array {
  const length = 2 * TAPS
  const side = Float32Array.from({ length: TAPS }, (_, k) => {
    const distance = 2 * k + 1
    const sinc = Math.sin((Math.PI * distance) / 2) / (Math.PI * distance)
    const place = distance / length
    return sinc * (bessel(BETA * Math.sqrt(1 - place * place)) / bessel(BETA))
  })
  // A constant passes unchanged: the two sides add up to the half that the middle leaves.
  const sum = side.reduce((total, each) => total + each, 0)
  return side.map((each) => (each * 0.25) / sum)
}

function bessel(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-9; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

function within16(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : Math.round(value)
}
