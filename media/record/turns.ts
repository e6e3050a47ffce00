import type { Millis } from '#base/clock.ts'
import type { SpeakerTurn } from '#media/engine.ts'

const BLOCK_MS = 20

/** Speech is louder than this in any case (dB below full scale), and this much above the noise of the line. */
const LEAST_DB = -50
const ABOVE_NOISE_DB = 9

/** The noise floor rises slowly (dB a second), so that speech does not become noise, and falls at once. */
const FLOOR_RISE_DB_PER_S = 1.5
const LOWEST_FLOOR_DB = -78
const HIGHEST_FLOOR_DB = -35

/** Three of the last four blocks must be loud for a turn to begin. */
const ONSET_BLOCKS = 4
const ONSET_LOUD = 3

/** A pause within a turn. */
const HANGOVER_MS: Millis = 400

/** Shorter ones are clicks and coughs. */
const SHORTEST_MS: Millis = 120

/** No more are kept of one recording. */
const MOST_TURNS = 20_000

interface Voice {
  floorDb: number
  /** The last blocks, newest in bit 0. */
  recent: number
  /** Begin of the turn under way. */
  from: Millis | null
  lastLoud: Millis
}

/** Tells who spoke when, from 20 ms blocks of each speaker, by their energy over the noise of the line. */
export class TurnDetector {
  readonly turns: SpeakerTurn[]
  readonly #voices: readonly [Voice, Voice] = [quiet(), quiet()]

  /** `earlier`: turns already known of this recording. */
  constructor(earlier: readonly SpeakerTurn[] = []) {
    this.turns = [...earlier]
  }

  /** One block of one speaker, in order. */
  block(speaker: 0 | 1, fromMs: Millis, samples: Int16Array): void {
    const voice = this.#voices[speaker]
    const level = levelDb(samples)
    voice.floorDb = Math.min(voice.floorDb + (FLOOR_RISE_DB_PER_S * BLOCK_MS) / 1000, HIGHEST_FLOOR_DB)
    if (level < voice.floorDb) voice.floorDb = Math.max(level, LOWEST_FLOOR_DB)
    const loud = level > Math.max(LEAST_DB, voice.floorDb + ABOVE_NOISE_DB)
    voice.recent = ((voice.recent << 1) | (loud ? 1 : 0)) & ((1 << ONSET_BLOCKS) - 1)
    if (loud) voice.lastLoud = fromMs + BLOCK_MS
    if (voice.from === null) {
      if (ones(voice.recent) >= ONSET_LOUD) voice.from = Math.max(0, fromMs - (ONSET_BLOCKS - 1) * BLOCK_MS)
    } else if (fromMs + BLOCK_MS - voice.lastLoud > HANGOVER_MS) this.#end(speaker, voice)
  }

  /** The recording ends: so do the turns. */
  finish(): void {
    for (const speaker of [0, 1] as const) this.#end(speaker, this.#voices[speaker])
    this.turns.sort((a, b) => a.fromMs - b.fromMs || a.speaker - b.speaker)
  }

  #end(speaker: 0 | 1, voice: Voice): void {
    if (voice.from === null) return
    const turn = { speaker, fromMs: voice.from, toMs: voice.lastLoud }
    voice.from = null
    if (turn.toMs - turn.fromMs >= SHORTEST_MS && this.turns.length < MOST_TURNS) this.turns.push(turn)
  }
}

/** Mean power in dB below full scale. */
function levelDb(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return 10 * Math.log10(sum / samples.length / 2 ** 30 + 1e-12)
}

function quiet(): Voice {
  return { floorDb: -60, recent: 0, from: null, lastLoud: 0 }
}

function ones(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}
