import { encodeAll, G711_RATE_HZ, type G711Law } from '#media/codec/g711.ts'
import { type Cadence, type ToneName, tonePlan } from '#media/tone/plan.ts'

/** Level of each frequency of a tone, in dBm0: comfortable beside speech, and within ITU-T E.180's -10 ± 5. */
export const TONE_LEVEL_DBM0 = -13

/** Peak sample of a 0 dBm0 sine: full scale of G.711 is +3.14 dBm0 (A-law), 3.17 (mu-law). */
const PEAK_0_DBM0 = 32768 / 10 ** (3.14 / 20)

/** Edges of a burst rise and fall over so long: no clicks. */
const EDGE_MS = 4

/**
 * One round of a country's tone as mono PCM16 at 8 kHz: repeat it as long as the tone shall last. Continuous tones come in a
 * length that holds whole periods, so that the seam is not heard.
 */
export function renderTone(country: string, tone: ToneName, levelDbm0 = TONE_LEVEL_DBM0): Int16Array {
  return renderCadence(tonePlan(country)[tone], levelDbm0)
}

/** `renderTone` as G.711: what a player sends. */
export function toneLoop(country: string, tone: ToneName, codec: G711Law): Uint8Array {
  return encodeAll(codec, renderTone(country, tone))
}

/** Mono PCM16 at 8 kHz of any cadence, one round. A single burst has no edges (it is continuous). */
export function renderCadence(cadence: Cadence, levelDbm0 = TONE_LEVEL_DBM0): Int16Array {
  const samplesOf = (ms: number): number => Math.round((ms * G711_RATE_HZ) / 1000)
  const pcm = new Int16Array(cadence.reduce((sum, burst) => sum + samplesOf(burst.ms), 0))
  const edge = cadence.length > 1 ? samplesOf(EDGE_MS) : 0
  let at = 0
  for (const { frequencies, ms } of cadence) {
    const length = samplesOf(ms)
    if (frequencies.length > 0) sound(pcm.subarray(at, at + length), frequencies, amplitude(levelDbm0), edge)
    at += length
  }
  return pcm
}

/** Peak sample value of a sine of so many dBm0. */
export function amplitude(levelDbm0: number): number {
  return PEAK_0_DBM0 * 10 ** (levelDbm0 / 20)
}

function sound(pcm: Int16Array, frequencies: readonly number[], peak: number, edge: number): void {
  for (let i = 0; i < pcm.length; i++) {
    let sum = 0
    for (const hz of frequencies) sum += Math.sin((2 * Math.PI * hz * i) / G711_RATE_HZ)
    const fade = edge === 0 ? 1 : Math.min(1, (i + 1) / edge, (pcm.length - i) / edge)
    pcm[i] = Math.max(-32768, Math.min(32767, Math.round(sum * peak * fade)))
  }
}
