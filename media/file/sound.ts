import type { Millis } from '#base/clock.ts'

/** A sound ready for a telephone: mono PCM16 at 8 kHz. */
export interface Sound {
  kind: 'sound'
  pcm: Int16Array
  ms: Millis
  source: SoundSource
}

/** What the file itself held. */
export interface SoundSource {
  encoding: 'pcm' | 'float' | 'alaw' | 'mulaw'
  bits: number
  channels: number
  rateHz: number
  /** The file ends before its header says; what is there was taken. */
  truncated: boolean
}

/** A file that is no sound we can play. `offset` is where, in bytes; `expected` what should have stood there. */
export interface BadSound {
  kind: 'bad-sound'
  /** Empty when bytes were given, not a file. */
  file: string
  offset: number
  expected: string
  found: string
}

/** What a configuration check wants to know of a prompt. */
export interface SoundFacts {
  kind: 'facts'
  source: SoundSource
  ms: Millis
  /** Peak level in dB below full scale (0 is the loudest possible); -Infinity for digital silence. */
  peakDb: number
}
