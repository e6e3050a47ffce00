import { G711_RATE_HZ } from '#media/codec/g711.ts'

/** The filter coefficient of one frequency at 8 kHz, for `goertzel`. */
export function goertzelCoefficient(hz: number): number {
  return 2 * Math.cos((2 * Math.PI * hz) / G711_RATE_HZ)
}

/**
 * Energy of one frequency in a stretch of samples (Goertzel's second-order recursion): a lone sine there gives as much as
 * the stretch's whole energy, the sum of its squares.
 */
export function goertzel(samples: ArrayLike<number>, coefficient: number, from = 0, to = samples.length): number {
  let one = 0
  let two = 0
  for (let i = from; i < to; i++) {
    const next = (samples[i] as number) + coefficient * one - two
    two = one
    one = next
  }
  return ((one * one + two * two - coefficient * one * two) * 2) / (to - from)
}

/** The same of four frequencies in one go, into `energies`: each recursion waits for itself, four of them for nobody. */
export function goertzel4(samples: Float32Array, coefficients: readonly number[], energies: Float64Array): void {
  const [ca = 0, cb = 0, cc = 0, cd = 0] = coefficients
  let [a1, a2, b1, b2, c1, c2, d1, d2] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i] as number
    const a = sample + ca * a1 - a2
    const b = sample + cb * b1 - b2
    const c = sample + cc * c1 - c2
    const d = sample + cd * d1 - d2
    a2 = a1
    b2 = b1
    c2 = c1
    d2 = d1
    a1 = a
    b1 = b
    c1 = c
    d1 = d
  }
  const scale = 2 / samples.length
  energies[0] = (a1 * a1 + a2 * a2 - ca * a1 * a2) * scale
  energies[1] = (b1 * b1 + b2 * b2 - cb * b1 * b2) * scale
  energies[2] = (c1 * c1 + c2 * c2 - cc * c1 * c2) * scale
  energies[3] = (d1 * d1 + d2 * d2 - cd * d1 * d2) * scale
}

/** Sum of the squares of a stretch. */
export function energy(samples: ArrayLike<number>, from = 0, to = samples.length): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += (samples[i] as number) ** 2
  return sum
}
