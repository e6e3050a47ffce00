import type { Millis } from '#base/clock.ts'

/** How a line sounds (ITU-T G.107 Annex B): R from 80, from 70, from 60, below. */
export type QualityClass = 'good' | 'fair' | 'poor' | 'bad'

/** What one direction of a call went through. */
export interface Passage {
  /** Share of packets that did not arrive, 0 to 1. */
  loss: number
  /** Packets lost in a row, on average, over what that would be by chance (G.107 §3.5); at least 1. */
  burst: number
  jitterMs: Millis
  /** null: not known. */
  roundTripMs: Millis | null
  /** Of a packet. */
  ptimeMs: Millis
}

/** Equipment impairment and robustness against loss of a codec (ITU-T G.113 Appendix I; of Opus, which it does not list, taken low). */
interface Codecs {
  ie: number
  bpl: number
}

/** G.711 without concealment, which is how most phones play it. */
const G711: Codecs = { ie: 0, bpl: 4.3 }
const CODECS: Readonly<Record<string, Codecs>> = { PCMA: G711, PCMU: G711, G722: { ie: 0, bpl: 8 }, opus: { ie: 0, bpl: 18 } }

/** R of a call with nothing wrong (G.107 §7.1, every default). */
const BEST_R = 93.2
/** A jitter buffer holds about so many times the mean jitter. */
const BUFFER_JITTERS = 2

/**
 * The E-model (ITU-T G.107), reduced to what a gateway can know: R = 93.2 - Id - Ie,eff. Id is the approximation of §7.4 for a line
 * without echo; what the phone's own microphone, room and echo do is not in it.
 */
export function ratingOf(codec: string, { loss, burst, jitterMs, roundTripMs, ptimeMs }: Passage): number {
  const { ie, bpl } = CODECS[codec] ?? G711
  const percent = loss * 100
  const impairment = percent === 0 ? ie : ie + (95 - ie) * (percent / (percent / Math.max(1, burst) + bpl))
  const delay = (roundTripMs ?? 0) / 2 + BUFFER_JITTERS * jitterMs + ptimeMs
  const tooLate = Math.max(0, delay - 177.3)
  return Math.max(0, BEST_R - impairment - (0.024 * delay + 0.11 * tooLate))
}

/** Mean opinion score of R (G.107 Annex B), 1 to 4.5. */
export function mosOf(r: number): number {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

export function classOf(r: number): QualityClass {
  if (r >= 80) return 'good'
  if (r >= 70) return 'fair'
  return r >= 60 ? 'poor' : 'bad'
}
