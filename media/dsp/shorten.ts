import type { RateHz } from '#media/codec/codec.ts'

/** The stretch that is taken out: 2.5 to 10 ms. */
const SHORTEST_MS = 2.5
const LONGEST_MS = 10

/**
 * Takes a stretch out of the middle of speech so that it is not heard: the two ends are crossfaded at the shift at which they are most alike
 * (a pitch period, as in waveform-similarity overlap-add). Works in place and returns how many samples are left; at least 20 ms are needed.
 */
export function shorten(pcm: Int16Array, length: number, rateHz: RateHz): number {
  const perMs = rateHz / 1000
  if (length < 2 * LONGEST_MS * perMs) return length
  const over = Math.floor(length / 2 - 1)
  let best = SHORTEST_MS * perMs
  let most = Number.NEGATIVE_INFINITY
  for (let shift = best; shift <= LONGEST_MS * perMs; shift += 2) {
    const likeness = alike(pcm, shift, over)
    if (likeness > most) {
      most = likeness
      best = shift
    }
  }
  for (let i = 0; i < over; i++) {
    const share = (i + 1) / (over + 1)
    pcm[i] = Math.round((pcm[i] as number) * (1 - share) + (pcm[i + best] as number) * share)
  }
  pcm.copyWithin(over, over + best, length)
  return length - best
}

function alike(pcm: Int16Array, shift: number, over: number): number {
  let product = 0
  let energy = 1
  for (let i = 0; i < over; i += 2) {
    const later = pcm[i + shift] as number
    product += (pcm[i] as number) * later
    energy += later * later
  }
  return product / Math.sqrt(energy)
}
