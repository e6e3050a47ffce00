import { Spectrum } from '#media/listen/spectrum.ts'

/** Of a frame: 32 ms, every 16 ms. */
const WINDOW = 256
const HOP = 128

/** Frames that are compared as one: 384 ms, long enough for the modulations that speech is understood by. */
const SEGMENT = 24

/** Third-octave bands from 150 Hz up to the end of the telephone's. */
const BANDS = 14
const LOWEST_HZ = 150

/** Frames this far below the loudest of what was said are pauses, and are left out. */
const RANGE_DB = 40

/** What was heard counts as no worse than this far below what was said, so that one ruined band does not spoil a segment. */
const LEAST_SDR_DB = -15

/** Where the heard signal is looked for: its delay is followed in blocks, each near the one before. */
const BLOCK = 2000
const MOST_DELAY = 24_000
const MOST_MOVE = 400
const MOST_LEAP = 2400
/** As alike as this two blocks are the same words; less alike than this they are anything. */
const SURE = 0.6
const FOUND = 0.3
/** Far off, every third delay is looked at first; of the samples every fifth is compared. */
const COARSE = 3
const THINNED = 5

/** How well speech is understood after what happened to it on the way, by the measure below. */
export interface Intelligibility {
  /** 0 to 1: at 0.75 half the words of sentences are understood in noise, above 0.9 all of them. */
  mean: number
  /** Of the worst twentieth of all stretches of 384 ms. */
  worst: number
  /** Of what was heard behind what was said, where it was understood best; in samples. */
  delay: number
}

/**
 * Short-time objective intelligibility (C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen: An Algorithm for Intelligibility Prediction of
 * Time-Frequency Weighted Noisy Speech, IEEE Transactions on Audio, Speech and Language Processing 19(7), 2011): the correlation between the
 * envelopes of what was said and what was heard, over 384 ms in each third-octave band, averaged. Here at 8 kHz instead of 10, so 14 bands and
 * frames of 32 ms; and with the delay followed, as a jitter buffer changes it.
 */
export function intelligibility(said: Int16Array, heard: Int16Array): Intelligibility {
  const delays = followed(said, heard)
  const [clean, degraded] = envelopes(said, heard, delays)
  const frames = clean.length / BANDS
  const scores: number[] = []
  for (let end = SEGMENT; end <= frames; end++) {
    let sum = 0
    for (let band = 0; band < BANDS; band++) sum += likeness(clean, degraded, { from: end - SEGMENT, band })
    scores.push(sum / BANDS)
  }
  scores.sort((a, b) => a - b)
  const mean = (some: readonly number[]): number => some.reduce((sum, each) => sum + each, 0) / Math.max(1, some.length)
  return { mean: mean(scores), worst: mean(scores.slice(0, Math.ceil(scores.length / 20))), delay: delays[delays.length >> 1] ?? 0 }
}

/** Band envelopes of both, frame by frame, pauses left out. */
function envelopes(said: Int16Array, heard: Int16Array, delays: readonly number[]): [Float64Array, Float64Array] {
  const spectrum = new Spectrum(WINDOW)
  const count = Math.max(0, Math.floor((said.length - WINDOW) / HOP) + 1)
  const loudness = Array.from({ length: count }, (_, frame) => spectrum.of(said, frame * HOP).reduce((sum, power) => sum + power, 0))
  const least = Math.max(...loudness, 1) * 10 ** (-RANGE_DB / 10)
  const spoken = [...loudness.keys()].filter((frame) => (loudness[frame] as number) > least)
  const of = (pcm: Int16Array, at: (frame: number) => number): Float64Array => {
    const values = new Float64Array(spoken.length * BANDS)
    for (const [i, frame] of spoken.entries()) {
      const power = spectrum.of(pcm, at(frame))
      for (let bin = 0; bin < power.length; bin++) {
        const band = BAND_OF_BIN[bin] as number
        if (band >= 0) values[i * BANDS + band] = (values[i * BANDS + band] as number) + (power[bin] as number)
      }
    }
    return values.map(Math.sqrt)
  }
  return [
    of(said, (frame) => frame * HOP),
    of(heard, (frame) => frame * HOP + (delays[Math.floor((frame * HOP) / BLOCK)] ?? delays.at(-1) ?? 0)),
  ]
}

/** Which band a bin belongs to; -1 for none. */
const BAND_OF_BIN = Int8Array.from({ length: WINDOW / 2 + 1 }, (_, bin) => {
  const band = Math.round(3 * Math.log2((bin * 8000) / WINDOW / LOWEST_HZ))
  return band >= 0 && band < BANDS ? band : -1
})

/** Correlation of one band's envelope over one segment, what was heard scaled to the loudness of what was said and clipped (Taal, equations 2 to 5). */
function likeness(clean: Float64Array, degraded: Float64Array, { from, band }: { from: number; band: number }): number {
  const x = Array.from({ length: SEGMENT }, (_, i) => clean[(from + i) * BANDS + band] as number)
  const y = Array.from({ length: SEGMENT }, (_, i) => degraded[(from + i) * BANDS + band] as number)
  const scale = Math.hypot(...x) / Math.max(1e-9, Math.hypot(...y))
  const most = 1 + 10 ** (-LEAST_SDR_DB / 20)
  return correlation(
    x,
    y.map((value, i) => Math.min(value * scale, (x[i] as number) * most)),
  )
}

function correlation(x: readonly number[], y: readonly number[]): number {
  const meanX = x.reduce((sum, each) => sum + each, 0) / x.length
  const meanY = y.reduce((sum, each) => sum + each, 0) / y.length
  let [product, a, b] = [0, 1e-9, 1e-9]
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [(x[i] as number) - meanX, (y[i] as number) - meanY]
    product += dx * dy
    a += dx * dx
    b += dy * dy
  }
  return product / Math.sqrt(a * b)
}

/** The delay of what was heard in each block of what was said, in samples. */
function followed(said: Int16Array, heard: Int16Array): number[] {
  const loudest = loudestBlock(said)
  const blocks = Math.ceil(said.length / BLOCK)
  const delays = Array.from({ length: blocks }, () => 0)
  delays[loudest] = place(said, heard, loudest, { from: 0, to: MOST_DELAY }).delay
  for (let block = loudest + 1; block < blocks; block++) delays[block] = near(said, heard, block, delays[block - 1] as number)
  for (let block = loudest - 1; block >= 0; block--) delays[block] = near(said, heard, block, delays[block + 1] as number)
  return delays
}

/** Beside where the last block was; far from it only when it is surely there; and where the last was when it is nowhere to be found. */
function near(said: Int16Array, heard: Int16Array, block: number, delay: number): number {
  const beside = place(said, heard, block, { from: delay - MOST_MOVE, to: delay + MOST_MOVE })
  if (beside.likeness >= SURE) return beside.delay
  const far = place(said, heard, block, { from: delay - MOST_LEAP, to: delay + MOST_LEAP, step: COARSE })
  if (far.likeness >= SURE) return far.delay
  return beside.likeness >= FOUND ? beside.delay : delay
}

function loudestBlock(pcm: Int16Array): number {
  let [best, most] = [0, -1]
  for (let block = 0; block * BLOCK < pcm.length; block++) {
    const energy = pcm.subarray(block * BLOCK, (block + 1) * BLOCK).reduce((sum, sample) => sum + sample * sample, 0)
    if (energy > most) [best, most] = [block, energy]
  }
  return best
}

/** Where in a range of delays a block is found best, and how alike the two are there. `step`: looked for so coarsely first. */
function place(said: Int16Array, heard: Int16Array, block: number, range: { from: number; to: number; step?: number }): Place {
  const { from, to, step = 1 } = range
  const part = said.subarray(block * BLOCK, (block + 1) * BLOCK)
  const best = { delay: Math.max(0, from), likeness: 0 }
  const look = (first: number, last: number, by: number): void => {
    for (let delay = Math.max(0, first); delay <= last; delay += by) {
      const likeness = likenessAt(part, heard, block * BLOCK + delay)
      if (likeness <= best.likeness) continue
      best.delay = delay
      best.likeness = likeness
    }
  }
  look(from, to, step)
  if (step > 1) look(best.delay - step + 1, best.delay + step - 1, 1)
  return best
}

interface Place {
  delay: number
  likeness: number
}

function likenessAt(part: Int16Array, heard: Int16Array, at: number): number {
  let [product, a, b] = [0, 1, 1]
  for (let i = 0; i < part.length; i += THINNED) {
    const [x, y] = [part[i] as number, heard[at + i] ?? 0]
    product += x * y
    a += x * x
    b += y * y
  }
  return product / Math.sqrt(a * b)
}
