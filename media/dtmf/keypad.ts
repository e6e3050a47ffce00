import type { Millis } from '#base/clock.ts'
import { G711_RATE_HZ } from '#media/codec/g711.ts'
import { GAP_MS, TONE_MS } from '#media/dtmf/event-sender.ts'
import { renderCadence } from '#media/tone/tones.ts'

/** Frequencies of the keypad's rows and columns in Hz (ITU-T Q.23). */
export const ROW_HZ = [697, 770, 852, 941] as const
export const COLUMN_HZ = [1209, 1336, 1477, 1633] as const

/** Keys by row, then column. */
export const KEYPAD = '123A456B789C*0#D'

/** Level of each of the two tones in dBm0. */
export const DTMF_LEVEL_DBM0 = -9

/** The two frequencies of a key `0-9*#A-D`; null for any other character. */
export function keyFrequencies(key: string): readonly [row: number, column: number] | null {
  const place = key.length === 1 ? KEYPAD.indexOf(key.toUpperCase()) : -1
  const row = ROW_HZ[place >> 2]
  const column = COLUMN_HZ[place & 3]
  return place < 0 || row === undefined || column === undefined ? null : [row, column]
}

/** Digits as tones: mono PCM16 at 8 kHz, a pause after each. Characters that are no keys are skipped. */
export function renderDigits(digits: string, times: { toneMs?: Millis; gapMs?: Millis; levelDbm0?: number } = {}): Int16Array {
  const { toneMs = TONE_MS, gapMs = GAP_MS, levelDbm0 = DTMF_LEVEL_DBM0 } = times
  const keys = Array.from(digits, keyFrequencies).filter((frequencies) => frequencies !== null)
  const each = Math.round(((toneMs + gapMs) * G711_RATE_HZ) / 1000)
  const pcm = new Int16Array(keys.length * each)
  for (const [i, frequencies] of keys.entries()) {
    pcm.set(
      renderCadence(
        [
          { frequencies, ms: toneMs },
          { frequencies: [], ms: gapMs },
        ],
        levelDbm0,
      ).subarray(0, each),
      i * each,
    )
  }
  return pcm
}
