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
  /** Period being repeated and where in it we are; 0 while nothing is concealed. */
  #period = 0
  #phase = 0
  #concealed = 0
  /** One to three periods, their end blended into their beginning. */
  readonly #loop: Float32Array
  #loopLength = 0

  constructor(rateHz: RateHz) {
    this.#perMs = rateHz / 1000
    this.#shortest = SHORTEST_MS * this.#perMs
    this.#longest = LONGEST_MS * this.#perMs
    this.#history = new Int16Array((COMPARED_MS + 3 * LONGEST_MS + LONGEST_MS / 4) * this.#perMs)
    this.#loop = new Float32Array(3 * this.#longest)
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
      this.#makeLoop(1)
      this.#phase = 0
    }
    for (let i = 0; i < pcm.length; i++) {
      pcm[i] = Math.round(this.#next())
    }
  }

  #next(): number {
    const elapsedMs = this.#concealed++ / this.#perMs
    // More periods as it lasts: a single one repeated for long buzzes.
    if (elapsedMs === 10) this.#makeLoop(2)
    else if (elapsedMs === 20) this.#makeLoop(3)
    const value = this.#loop[this.#phase] as number
    this.#phase = (this.#phase + 1) % this.#loopLength
    if (elapsedMs <= HELD_MS) return value
    return elapsedMs >= FADED_MS ? 0 : value * (1 - (elapsedMs - HELD_MS) / (FADED_MS - HELD_MS))
  }

  /** The last `periods` periods as a loop, without a step where it closes: its last quarter period is blended with what led to its beginning. */
  #makeLoop(periods: number): void {
    const history = this.#history
    const length = this.#period * periods
    const from = history.length - length
    const quarter = this.#period >> 2
    for (let i = 0; i < length; i++) {
      const fade = (i - (length - quarter)) / quarter
      const own = history[from + i] as number
      this.#loop[i] = fade <= 0 ? own : own * (1 - fade) + (history[from + i - length] ?? own) * fade
    }
    this.#phase %= this.#period
    this.#loopLength = length
  }

  /** What arrives takes over from what would have gone on, over a quarter period and 4 ms more for every 10 ms concealed. */
  #blendIn(pcm: Int16Array): void {
    if (this.#period === 0) return
    const extra = Math.floor(this.#concealed / (10 * this.#perMs)) * 4 * this.#perMs
    const over = Math.min(pcm.length, (this.#period >> 2) + Math.min(extra, 10 * this.#perMs))
    for (let i = 0; i < over; i++) {
      const share = (i + 1) / (over + 1)
      pcm[i] = Math.round((pcm[i] as number) * share + this.#next() * (1 - share))
    }
  }

  /** The period at which the last 20 ms are most like what came before: coarsely over every other sample, then exactly. */
  #findPeriod(): number {
    let best = this.#shortest
    let most = Number.NEGATIVE_INFINITY
    for (let lag = this.#shortest; lag <= this.#longest; lag += 2) {
      const likeness = this.#likeness(lag, 2)
      if (likeness > most) {
        most = likeness
        best = lag
      }
    }
    for (const lag of [best - 1, best + 1]) {
      if (lag < this.#shortest || lag > this.#longest) continue
      const likeness = this.#likeness(lag, 2)
      if (likeness > most) {
        most = likeness
        best = lag
      }
    }
    return best
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
