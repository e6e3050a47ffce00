import type { RateHz } from '#media/codec/codec.ts'

/** Pitch of voices: 66 to 400 Hz, as periods in milliseconds. */
const SHORTEST_MS = 2.5
const LONGEST_MS = 15

/** The stretch that is compared with the one a period before it. */
const COMPARED_MS = 20

/** After 10 ms of concealment it fades by a fifth of full scale every 10 ms, so that nothing is left after 60 ms. */
const HELD_MS = 10
const FADED_MS = 60

/**
 * Conceals lost audio by going on with what was said last, pitch period by pitch period, after the idea of ITU-T G.711 Appendix I: a lost 20 ms
 * of a vowel is hardly heard, and what lasts longer fades instead of droning. For codecs that have no concealment of their own.
 *
 *     good --conceal--> repeating the last period --conceal, longer--> two, then three periods, fading --60 ms--> silence
 *                               '--good--> crossfaded into what arrives
 */
export class Concealer {
  readonly #perMs: number
  /** The last samples heard, newest last. */
  readonly #history: Int16Array
  readonly #shortest: number
  readonly #longest: number
  /** Period being repeated, in samples and parts of one, how many of them at a time, and where in them we are; 0 while nothing is concealed. */
  #period = 0
  #periods = 1
  #phase = 0
  #concealed = 0

  constructor(rateHz: RateHz) {
    this.#perMs = rateHz / 1000
    this.#shortest = SHORTEST_MS * this.#perMs
    this.#longest = LONGEST_MS * this.#perMs
    this.#history = new Int16Array((COMPARED_MS + 3 * LONGEST_MS + LONGEST_MS / 4) * this.#perMs)
  }

  /** Takes audio that was heard; after a concealed stretch its beginning is blended, in place. */
  good(pcm: Int16Array): void {
    if (this.#concealed > 0) this.#blendIn(pcm)
    this.#period = 0
    this.#concealed = 0
    const history = this.#history
    if (pcm.length >= history.length) history.set(pcm.subarray(pcm.length - history.length))
    else {
      history.copyWithin(0, pcm.length)
      history.set(pcm, history.length - pcm.length)
    }
  }

  /** Fills `pcm` with what most likely would have come. */
  conceal(pcm: Int16Array): void {
    if (this.#period === 0) {
      this.#period = this.#findPeriod()
      this.#periods = 1
      this.#phase = 0
    }
    for (let i = 0; i < pcm.length; i++) pcm[i] = within16(this.#next())
  }

  #next(): number {
    const elapsedMs = this.#concealed++ / this.#perMs
    // More periods as it lasts: a single one repeated for long buzzes. The newest is gone on with; the older ones come when it is over.
    if (elapsedMs === 10 || elapsedMs === 20) {
      this.#periods++
      this.#phase += this.#period
    }
    const value = this.#repeated(this.#phase)
    const span = this.#period * this.#periods
    this.#phase += 1
    while (this.#phase >= span) this.#phase -= span
    if (elapsedMs <= HELD_MS) return value
    return elapsedMs >= FADED_MS ? 0 : value * (1 - (elapsedMs - HELD_MS) / (FADED_MS - HELD_MS))
  }

  /** The last periods at a place in them; their last quarter period is blended with what led to their beginning, so that going round makes no step. */
  #repeated(place: number): number {
    const span = this.#period * this.#periods
    const quarter = this.#period / 4
    const at = this.#history.length - span + place
    const fade = (place - span + quarter) / quarter
    const own = this.#sample(at)
    return fade <= 0 || at - span < 1 ? own : own * (1 - fade) + this.#sample(at - span) * fade
  }

  /** The history between its samples, by a cubic through four of them (Catmull-Rom). */
  #sample(at: number): number {
    const history = this.#history
    const floor = Math.floor(at)
    const t = at - floor
    const b = history[floor] ?? 0
    if (t === 0) return b
    const a = history[floor - 1] ?? b
    const c = history[floor + 1] ?? b
    const d = history[floor + 2] ?? c
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
  }

  /** What arrives takes over from what would have gone on, over a quarter period and 4 ms more for every 10 ms concealed. */
  #blendIn(pcm: Int16Array): void {
    if (this.#period === 0) return
    const extra = Math.floor(this.#concealed / (10 * this.#perMs)) * 4 * this.#perMs
    const over = Math.min(pcm.length, Math.floor(this.#period / 4) + Math.min(extra, 10 * this.#perMs))
    for (let i = 0; i < over; i++) {
      const share = (i + 1) / (over + 1)
      pcm[i] = within16((pcm[i] as number) * share + this.#next() * (1 - share))
    }
  }

  /** The period at which the last 20 ms are most like what came before: by whole samples, and then between them by the parabola of their likeness. */
  #findPeriod(): number {
    let best = this.#shortest
    let most = Number.NEGATIVE_INFINITY
    for (let lag = this.#shortest; lag <= this.#longest; lag++) {
      const likeness = this.#likeness(lag, 2)
      if (likeness > most) {
        most = likeness
        best = lag
      }
    }
    const [before, at, after] = [this.#likeness(best - 1, 1), this.#likeness(best, 1), this.#likeness(best + 1, 1)]
    const bend = before - 2 * at + after
    return bend >= 0 ? best : best + Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)))
  }

  /** Cross-correlation, normalised by the energy of the earlier stretch. */
  #likeness(lag: number, step: number): number {
    const history = this.#history
    let product = 0
    let energy = 1
    for (let i = history.length - COMPARED_MS * this.#perMs; i < history.length; i += step) {
      const earlier = history[i - lag] as number
      product += (history[i] as number) * earlier
      energy += earlier * earlier
    }
    return product / Math.sqrt(energy)
  }
}

function within16(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : Math.round(value)
}
