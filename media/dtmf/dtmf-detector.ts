import type { Millis } from '#base/clock.ts'
import { G711_PER_MS } from '#media/codec/g711.ts'
import { energy, goertzel, goertzel4, goertzelCoefficient } from '#media/dtmf/goertzel.ts'
import { COLUMN_HZ, KEYPAD, ROW_HZ } from '#media/dtmf/keypad.ts'

/** A digit heard in audio. */
export interface HeardDigit {
  digit: string
  /** When it began, since the first sample, to some 15 ms. */
  fromMs: Millis
  ms: Millis
}

/** 25.5 ms: bins narrow enough to tell 697 from 770 Hz, short enough to find a tone of 40 ms (ITU-T Q.24). */
const WINDOW = 204
/** Windows overlap by half. */
const HOP = 102

/** Windows in a row that must agree for a digit to begin, and that may miss it before it has ended. */
const ONSET = 2
const RELEASE = 3

/** Quieter tones are not meant: each about -36 dBm0 (Q.24 demands -29 at least). */
const LEAST_ENERGY = WINDOW * 250 ** 2
/** Columns may be louder or softer than rows by 8 dB (Q.24: 4 to 8). */
const TWIST = 6.3
/** Each tone stands above its neighbours in the row or column group by so much. */
const PEAK = 6.3
/** Share of all energy that the two tones have: speech spreads, tones do not. */
const PURITY = 0.9
/** So little one of the two has of it at least. */
const LEAST_SHARE = PURITY / (1 + TWIST)
/** Speech has harmonics: a second harmonic above this share of its tone is a voice. */
const HARMONIC = 0.1

/** A tone may be 1.5 % off (Q.24): its energy is looked for a little beside its place, too. */
const OFF = [0.986, 0.993, 1.007, 1.014]

const ROWS = ROW_HZ.map(goertzelCoefficient)
const COLUMNS = COLUMN_HZ.map(goertzelCoefficient)
const BESIDE_ROWS = ROW_HZ.map((hz) => OFF.map((off) => goertzelCoefficient(hz * off)))
const BESIDE_COLUMNS = COLUMN_HZ.map((hz) => OFF.map((off) => goertzelCoefficient(hz * off)))
const ROW_HARMONICS = ROW_HZ.map((hz) => goertzelCoefficient(hz * 2))
const COLUMN_HARMONICS = COLUMN_HZ.map((hz) => goertzelCoefficient(hz * 2))

/**
 * Hears keypad tones in audio at 8 kHz, fed in pieces of any length. A voice is not taken for a key: the two tones must
 * carry nearly all of the energy, without harmonics, near the same level, and last.
 */
export class DtmfDetector {
  readonly #window = new Float32Array(WINDOW)
  #filled = 0
  /** Samples before the window. */
  #position = 0
  #candidate: string | null = null
  #agreed = 0
  #missed = 0
  #current: { digit: string; from: number; to: number } | null = null

  /** Takes the next samples; returns the digits that ended in them. */
  hear(pcm: Int16Array): readonly HeardDigit[] {
    const heard: HeardDigit[] = []
    for (let at = 0; at < pcm.length; ) {
      const count = Math.min(WINDOW - this.#filled, pcm.length - at)
      this.#window.set(pcm.subarray(at, at + count), this.#filled)
      this.#filled += count
      at += count
      if (this.#filled < WINDOW) break
      const ended = this.#step(keyOf(this.#window))
      if (ended !== null) heard.push(ended)
      this.#window.copyWithin(0, HOP)
      this.#filled = WINDOW - HOP
      this.#position += HOP
    }
    return heard
  }

  /** The audio ends: so does the digit under way. */
  finish(): HeardDigit | null {
    const current = this.#current
    this.#current = null
    return current === null ? null : told(current)
  }

  #step(key: string | null): HeardDigit | null {
    this.#agreed = key !== null && key === this.#candidate ? this.#agreed + 1 : key === null ? 0 : 1
    this.#candidate = key
    const current = this.#current
    if (current !== null && key === current.digit) {
      this.#missed = 0
      current.to = this.#position + WINDOW
      return null
    }
    const begins = key !== null && this.#agreed >= ONSET
    if (current !== null && ++this.#missed < RELEASE && !begins) return null
    this.#current = begins ? { digit: key, from: this.#position - (ONSET - 1) * HOP, to: this.#position + WINDOW } : null
    this.#missed = 0
    return current === null ? null : told(current)
  }
}

/** All digits in a whole recording. */
export function decodeDigits(pcm: Int16Array): HeardDigit[] {
  const detector = new DtmfDetector()
  const heard = [...detector.hear(pcm)]
  const last = detector.finish()
  return last === null ? heard : [...heard, last]
}

function told({ digit, from, to }: { digit: string; from: number; to: number }): HeardDigit {
  return { digit, fromMs: Math.round(from / G711_PER_MS), ms: Math.round((to - from) / G711_PER_MS) }
}

/** The key that one window of samples sounds like, or null. */
function keyOf(window: Float32Array): string | null {
  const total = energy(window)
  if (total < LEAST_ENERGY) return null
  const row = strongest(window, ROWS, BESIDE_ROWS)
  // The usual end of a window of speech, at half the work.
  if (row === null || row.energy < total * LEAST_SHARE) return null
  const column = strongest(window, COLUMNS, BESIDE_COLUMNS)
  if (column === null) return null
  if (row.energy > column.energy * TWIST || column.energy > row.energy * TWIST) return null
  if (row.energy + column.energy < total * PURITY) return null
  if (goertzel(window, ROW_HARMONICS[row.place] ?? 0) > row.energy * HARMONIC) return null
  if (goertzel(window, COLUMN_HARMONICS[column.place] ?? 0) > column.energy * HARMONIC) return null
  return KEYPAD[row.place * 4 + column.place] ?? null
}

/** Of the four tones of a group. Filled and used up within one call. */
const energies = new Float64Array(4)

function strongest(
  window: Float32Array,
  coefficients: readonly number[],
  beside: readonly (readonly number[])[],
): { place: number; energy: number } | null {
  goertzel4(window, coefficients, energies)
  let place = 0
  for (let i = 1; i < 4; i++) if ((energies[i] as number) > (energies[place] as number)) place = i
  const most = energies[place] as number
  const clear = energies.every((one, i) => i === place || one * PEAK < most)
  if (!clear || most < LEAST_ENERGY / 8) return null
  return { place, energy: Math.max(most, ...(beside[place] ?? []).map((coefficient) => goertzel(window, coefficient))) }
}
