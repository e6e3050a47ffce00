import { G711_RATE_HZ } from '#media/codec/g711.ts'

/** Formants of vowels in Hz, by one speaker. */
const VOWELS = [
  [730, 1090, 2440],
  [270, 2290, 3010],
  [300, 870, 2240],
  [530, 1840, 2480],
  [570, 840, 2410],
  [660, 1720, 2410],
] as const

/**
 * Sound like speech without sense: vowels, hisses and stops in an order drawn from `seed`, always by the same voice. Stands in for
 * spoken prompts where no speech program is at hand. The same seed gives the same sound.
 */
export function babble(seed: number, ms: number): Int16Array {
  const random = generator(seed)
  const pcm = new Int16Array(Math.round((ms * G711_RATE_HZ) / 1000))
  const voice: Voice = { random, phase: 0, pitch: 110 }
  for (let at = 0; at < pcm.length; ) {
    const length = Math.round((50 + random() * 130) * 8)
    const part = pcm.subarray(at, at + length)
    const kind = random()
    voice.pitch = 95 + random() * 45
    if (kind < 0.62) vowel(voice, part)
    else if (kind < 0.85) hiss(voice, part)
    at += length
  }
  return pcm
}

interface Voice {
  random: () => number
  phase: number
  pitch: number
}

function vowel(voice: Voice, part: Int16Array): void {
  const formants = VOWELS[Math.floor(voice.random() * VOWELS.length)] ?? VOWELS[0]
  const loud = 900 + voice.random() * 1500
  const gains: number[] = []
  for (let harmonic = 1; harmonic * voice.pitch < 3600; harmonic++) {
    gains.push(formants.reduce((sum, formant, i) => sum + 1 / (1 + i) / (1 + ((harmonic * voice.pitch - formant) / 110) ** 2), 0.01))
  }
  for (let i = 0; i < part.length; i++) {
    voice.phase += (2 * Math.PI * voice.pitch) / G711_RATE_HZ
    let sum = 0
    for (const [k, gain] of gains.entries()) sum += gain * Math.sin((k + 1) * voice.phase)
    part[i] = sum * loud * edges(i, part.length)
  }
}

function hiss(voice: Voice, part: Int16Array): void {
  const loud = 300 + voice.random() * 1200
  let before = 0
  for (let i = 0; i < part.length; i++) {
    const white = voice.random() * 2 - 1
    part[i] = (white - 0.8 * before) * loud * edges(i, part.length)
    before = white
  }
}

/** Rises and falls over 15 ms. */
function edges(i: number, length: number): number {
  return Math.min(1, i / 120, (length - i) / 120)
}

/** Repeatable numbers in [0, 1) (mulberry32). */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
