/**
 * Half-band low-pass for doubling and halving between 8 and 16 kHz: every other coefficient is zero, so that an output sample costs eight
 * products. Passes 3.2 kHz, 50 dB down from 4.8 kHz (Kaiser window).
 */
const TAPS = 8

/** Of the Kaiser window, for 50 dB. */
const BETA = 4.55

/** Coefficients at odd distances 1, 3, 5, ... from the middle, of one side; the middle is a half. */
const SIDE = designSide()

/** Halves the rate of a stream, 16 kHz to 8 kHz; keeps what the filter needs of the past. Delay: 15 samples at 16 kHz. */
export class Halver {
  readonly #past = new Float32Array(4 * TAPS - 1)

  /** Reads an even number of samples and writes half as many. `out` may be `pcm`. Returns how many. */
  run(pcm: Int16Array, out: Int16Array): number {
    const past = this.#past
    const middle = 2 * TAPS - 1
    const count = pcm.length >> 1
    for (let i = 0; i < count; i++) {
      past.copyWithin(0, 2)
      past[past.length - 2] = pcm[2 * i] as number
      past[past.length - 1] = pcm[2 * i + 1] as number
      let sum = (past[middle] as number) * 0.5
      for (let k = 0; k < TAPS; k++)
        sum += ((past[middle - 1 - 2 * k] as number) + (past[middle + 1 + 2 * k] as number)) * (SIDE[k] as number)
      out[i] = within16(sum)
    }
    return count
  }
}

/** Doubles the rate of a stream, 8 kHz to 16 kHz. Delay: 8 samples at 8 kHz. */
export class Doubler {
  readonly #past = new Float32Array(2 * TAPS)

  /** Writes two samples for each of `pcm`; `out` is another array. Returns how many. */
  run(pcm: Int16Array, out: Int16Array): number {
    const past = this.#past
    const count = Math.min(pcm.length, out.length >> 1)
    for (let i = 0; i < count; i++) {
      past.copyWithin(0, 1)
      past[2 * TAPS - 1] = pcm[i] as number
      let between = 0
      for (let k = 0; k < TAPS; k++) between += ((past[TAPS - 1 - k] as number) + (past[TAPS + k] as number)) * (SIDE[k] as number)
      out[2 * i] = past[TAPS - 1] as number
      out[2 * i + 1] = within16(between * 2)
    }
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
