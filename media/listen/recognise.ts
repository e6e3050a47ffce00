import type { Millis } from '#base/clock.ts'
import { BANDS, type VoicePrint, voicePrint } from '#media/listen/voice-print.ts'

/** A prompt, or part of one, that was heard. */
export interface Heard {
  /** Its name in the library. */
  prompt: string
  /** Where it lies in what was received. */
  fromMs: Millis
  toMs: Millis
  /** Which part of the prompt it is. */
  promptFromMs: Millis
  promptToMs: Millis
  /** Likeness of that part, 0 to 1: another text by the same voice stays below 0.3, the prompt itself through G.711 is above 0.8. */
  sureness: number
}

/** Known prompts by name: mono PCM16 at 8 kHz. */
export type PromptLibrary = ReadonlyMap<string, Int16Array>

/** Prompts are looked for at this grid, then placed to half of it. */
const HOP_MS = 20
const FINE_HOP_MS = 10

/** A frame must be more like the prompt's than this, or it counts against it. */
const LIKENESS = 0.45

/** Shorter finds are chance, unless the prompt itself is no longer. */
const LEAST_MS: Millis = 700
/** Less sure finds are none. A few words alike are common, a long stretch alike is not: by length, from the shortest to the long. */
const LEAST_SURENESS = 0.85
const LEAST_SURENESS_LONG = 0.6
const LONG_MS: Millis = 2500

/** Two finds of one prompt, one after the other, belong together when their places differ by no more: packets were lost or inserted between. */
const SAME_PLACE_MS: Millis = 400
/** Or when whoever plays it stood still for no longer, and goes on where it stopped. */
const LONGEST_HALT_MS: Millis = 1500

/** No more finds in one recording. */
const MOST_FINDS = 200

/**
 * Says which prompts are in what was received, from when to when, how surely, in order. Level, law, lost packets, a prompt
 * that starts late or is cut short do not matter; silence, tones and other texts by the same voice are not taken for it.
 */
export function recognise(pcm: Int16Array, library: PromptLibrary): Heard[] {
  const received = voicePrint(pcm, HOP_MS)
  const searches = [...library].map(([prompt, sound]) => new Search(prompt, voicePrint(sound, HOP_MS), received))
  const finds: Find[] = []
  for (let i = 0; i < MOST_FINDS; i++) {
    const best = searches.reduce<Find | null>((most, search) => better(most, search.best()), null)
    if (best === null) break
    finds.push(best)
    for (let frame = best.at; frame < best.at + best.length; frame++) received.weights[frame] = TAKEN
    for (const search of searches) search.taken(best.at, best.at + best.length)
  }
  finds.sort((a, b) => a.at - b.at)
  return joined(finds.map((find) => placed(find, pcm, library)))
}

/** Marks a received frame that belongs to a find already. */
const TAKEN = -1

/** A run of frames in which what was received goes along with a prompt. */
interface Find {
  prompt: string
  /** Frame in what was received, and in the prompt. */
  at: number
  promptAt: number
  length: number
  score: number
}

function better(one: Find | null, other: Find | null): Find | null {
  return one === null || (other !== null && other.score > one.score) ? other : one
}

/** Looks for one prompt; remembers the best run of each offset, so that what is taken by others is looked at anew only where needed. */
class Search {
  readonly #prompt: string
  readonly #print: VoicePrint
  readonly #received: VoicePrint
  /** Best run by offset: index `offset + print.frames`. */
  readonly #runs: (Find | null)[]

  constructor(prompt: string, print: VoicePrint, received: VoicePrint) {
    this.#prompt = prompt
    this.#print = print
    this.#received = received
    this.#runs = Array.from({ length: print.frames + received.frames }, (_, i) => this.#along(i - print.frames))
  }

  best(): Find | null {
    return this.#runs.reduce<Find | null>((most, run) => better(most, run), null)
  }

  /** Frames [from, to) of what was received are taken: runs that used them are looked for again. */
  taken(from: number, to: number): void {
    for (const [i, run] of this.#runs.entries()) {
      if (run !== null && run.at < to && run.at + run.length > from) this.#runs[i] = this.#along(i - this.#print.frames)
    }
  }

  /** The best run with the prompt beginning at frame `offset` of what was received (Kadane's largest sum). */
  #along(offset: number): Find | null {
    const from = Math.max(0, -offset)
    const to = Math.min(this.#print.frames, this.#received.frames - offset)
    const least = Math.min(LEAST_MS / HOP_MS, this.#print.frames * 0.8)
    if (to - from < least) return null
    let best: Find | null = null
    let start = from
    let sum = 0
    for (let frame = from; frame < to; frame++) {
      const gain = this.#gain(frame, frame + offset)
      if (sum <= 0) {
        sum = 0
        start = frame
      }
      sum = gain === null ? Number.NEGATIVE_INFINITY : sum + gain
      if (sum > (best?.score ?? 0))
        best = { prompt: this.#prompt, at: start + offset, promptAt: start, length: frame - start + 1, score: sum }
    }
    return best !== null && best.length >= least && this.#isSure(best) ? best : null
  }

  /** What one pair of frames says for (or against) the prompt; null when the received one is taken. */
  #gain(frame: number, receivedFrame: number): number | null {
    const weight = this.#received.weights[receivedFrame] as number
    if (weight === TAKEN) return null
    return dot(this.#print, frame, this.#received, receivedFrame) - (LIKENESS * (weight + (this.#print.weights[frame] as number))) / 2
  }

  #isSure(find: Find): boolean {
    const long = Math.min(1, Math.max(0, (find.length * HOP_MS - LEAST_MS) / (LONG_MS - LEAST_MS)))
    return likeness(this.#print, this.#received, find) >= LEAST_SURENESS + (LEAST_SURENESS_LONG - LEAST_SURENESS) * long
  }
}

/** Cosine between a part of a prompt and what was received for it. */
function likeness(print: VoicePrint, received: VoicePrint, find: Pick<Find, 'at' | 'promptAt' | 'length'>): number {
  let product = 0
  let one = 0
  let other = 0
  for (let i = 0; i < find.length; i++) {
    if (find.at + i < 0 || find.at + i >= received.frames || find.promptAt + i >= print.frames) continue
    product += dot(print, find.promptAt + i, received, find.at + i)
    one += print.weights[find.promptAt + i] as number
    other += Math.max(0, received.weights[find.at + i] as number)
  }
  return one === 0 || other === 0 ? 0 : product / Math.sqrt(one * other)
}

function dot(one: VoicePrint, frame: number, other: VoicePrint, otherFrame: number): number {
  const a = one.values
  const b = other.values
  const i = frame * BANDS
  const j = otherFrame * BANDS
  let sum = 0
  for (let band = 0; band < BANDS; band++) sum += (a[i + band] as number) * (b[j + band] as number)
  return sum
}

/** Finds of one prompt that go on after a splice become one, as sure as its parts are in the mean. */
function joined(parts: readonly Heard[]): Heard[] {
  const whole: Heard[] = []
  for (const part of parts) {
    const last = whole.at(-1)
    if (last === undefined || !goesOn(last, part)) {
      whole.push({ ...part })
      continue
    }
    const [before, more] = [last.toMs - last.fromMs, part.toMs - part.fromMs]
    last.sureness = (last.sureness * before + part.sureness * more) / (before + more)
    last.toMs = part.toMs
    last.promptToMs = part.promptToMs
  }
  return whole
}

function goesOn(one: Heard, next: Heard): boolean {
  const shift = next.fromMs - next.promptFromMs - (one.toMs - one.promptToMs)
  const isOnward = one.prompt === next.prompt && next.promptFromMs >= one.promptToMs - SAME_PLACE_MS
  // Where it was held up, it goes on where it stood.
  const isHeldUp = next.promptFromMs <= one.promptToMs + SAME_PLACE_MS && shift >= 0 && shift <= LONGEST_HALT_MS
  return isOnward && (Math.abs(shift) <= SAME_PLACE_MS || isHeldUp)
}

/** Places a find to 10 ms and says how sure it is. */
function placed(find: Find, pcm: Int16Array, library: PromptLibrary): Heard {
  const fromMs = find.at * HOP_MS
  const ms = find.length * HOP_MS
  const promptFromMs = find.promptAt * HOP_MS
  const begin = Math.max(0, fromMs - HOP_MS)
  const received = voicePrint(pcm.subarray(begin * 8, (fromMs + ms + 2 * HOP_MS) * 8), FINE_HOP_MS)
  const print = voicePrint(library.get(find.prompt) ?? new Int16Array(0), FINE_HOP_MS)
  const place = { promptAt: promptFromMs / FINE_HOP_MS, length: ms / FINE_HOP_MS }
  let best = { at: 0, sureness: 0 }
  for (let at = 0; at <= (2 * HOP_MS) / FINE_HOP_MS; at++) {
    const sureness = likeness(print, received, { ...place, at })
    if (sureness > best.sureness) best = { at, sureness }
  }
  const from = begin + best.at * FINE_HOP_MS
  return { prompt: find.prompt, fromMs: from, toMs: from + ms, promptFromMs, promptToMs: promptFromMs + ms, sureness: best.sureness }
}
