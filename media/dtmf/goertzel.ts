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

/** Sum of the squares of a stretch. */
export function energy(samples: ArrayLike<number>, from = 0, to = samples.length): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += (samples[i] as number) ** 2
  return sum
}
