import { G711_RATE_HZ } from '#media/codec/g711.ts'
import { Spectrum } from '#media/listen/spectrum.ts'

/** Samples of a frame: 32 ms. */
const WINDOW = 256

/** Bands between the edges of the telephone's, evenly wide to the ear (mel). */
export const BANDS = 14
const LOWEST_HZ = 200
const HIGHEST_HZ = 3400

/** Power this far below the loudest is taken for silence: what G.711's noise does there is not compared. */
const RANGE_DB = 35
/** Share of band powers that count as the loudest: a click does not set the scale. */
const LOUDEST = 0.97
/** Never amplify what is as soft as this (power of a band; digital silence and the noise of quantisation). */
const LEAST_POWER = 200

/** Over so much time before and after, the mean of each band is taken out: what is left is how the sound moves. */
const MEAN_MS = 400

/**
 * How a sound moves in time, band by band: logarithms of band energies, their local mean taken out, so that neither level nor
 * the voice's or line's own colour matters, only what is said and when. `frames × BANDS` values.
 */
export interface VoicePrint {
  frames: number
  hopMs: number
  values: Float32Array
  /** Energy of each frame's values: how much it has to say. */
  weights: Float32Array
}

/** The print of a sound at 8 kHz, a frame each `hopMs`. */
export function voicePrint(pcm: Int16Array, hopMs: number): VoicePrint {
  const frames = Math.max(0, Math.floor((pcm.length - WINDOW) / (hopMs * 8)) + 1)
  const logs = bandLogs(pcm, frames, hopMs * 8)
  const values = withoutLocalMean(logs, frames, Math.round(MEAN_MS / hopMs))
  const weights = Float32Array.from({ length: frames }, (_, frame) => {
    let sum = 0
    for (let i = frame * BANDS; i < (frame + 1) * BANDS; i++) sum += (values[i] as number) ** 2
    return sum
  })
  return { frames, hopMs, values, weights }
}

function bandLogs(pcm: Int16Array, frames: number, hop: number): Float32Array {
  const spectrum = new Spectrum(WINDOW)
  const powers = new Float32Array(frames * BANDS)
  for (let frame = 0; frame < frames; frame++) {
    const power = spectrum.of(pcm, frame * hop)
    for (let bin = 0; bin < power.length; bin++) {
      const band = BAND_OF_BIN[bin] as number
      if (band >= 0) powers[frame * BANDS + band] = (powers[frame * BANDS + band] as number) + (power[bin] as number)
    }
  }
  const loudest = powers.toSorted()[Math.floor(powers.length * LOUDEST)] ?? 0
  const floor = Math.max(LEAST_POWER, loudest * 10 ** (-RANGE_DB / 10))
  return powers.map((power) => Math.log(power + floor))
}

/** Which band a bin belongs to; -1 for none. */
const BAND_OF_BIN = Int8Array.from({ length: WINDOW / 2 + 1 }, (_, bin) => {
  const [low, high] = [mel(LOWEST_HZ), mel(HIGHEST_HZ)]
  const band = Math.floor(((mel((bin * G711_RATE_HZ) / WINDOW) - low) / (high - low)) * BANDS)
  return band >= 0 && band < BANDS ? band : -1
})

function mel(hz: number): number {
  return Math.log1p(hz / 700)
}

function withoutLocalMean(logs: Float32Array, frames: number, reach: number): Float32Array {
  const values = new Float32Array(logs.length)
  for (let band = 0; band < BANDS; band++) {
    let sum = 0
    for (let frame = -reach; frame < frames + reach; frame++) {
      if (frame + reach < frames) sum += logs[(frame + reach) * BANDS + band] ?? 0
      if (frame - reach - 1 >= 0) sum -= logs[(frame - reach - 1) * BANDS + band] ?? 0
      if (frame < 0 || frame >= frames) continue
      const count = Math.min(frames - 1, frame + reach) - Math.max(0, frame - reach) + 1
      values[frame * BANDS + band] = (logs[frame * BANDS + band] ?? 0) - sum / count
    }
  }
  return values
}
