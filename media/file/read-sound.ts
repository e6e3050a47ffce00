import { readFile, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { beginWav } from '#media/file/decode-wav.ts'
import type { BadSound, Sound, SoundFacts } from '#media/file/sound.ts'

/** Larger files are refused unread. */
export const LARGEST_SOUND_BYTES = 256 * 1024 * 1024

/** Samples decoded before others get a turn: about a millisecond of work at 48 kHz. */
const SLICE = 2048

/**
 * Reads a WAV file as a sound for the telephone. A file that is missing, unreadable or no sound gives a named refusal with
 * the file and the place in it; never rejects. Decodes in small slices, so that a heartbeat on the same thread keeps time.
 */
export async function readSound(file: string): Promise<Sound | BadSound> {
  const bytes = await bytesOf(file)
  if (!(bytes instanceof Uint8Array)) return bytes
  const decoding = beginWav(bytes)
  if (decoding.kind === 'bad-sound') return { ...decoding, file }
  while (!decoding.step(SLICE)) await setImmediate()
  return decoding.sound
}

/** What a configuration check says of a prompt, or why it cannot be played. Never rejects. */
export async function inspectSound(file: string): Promise<SoundFacts | BadSound> {
  const sound = await readSound(file)
  if (sound.kind === 'bad-sound') return sound
  let peak = 0
  for (const sample of sound.pcm) peak = Math.max(peak, Math.abs(sample))
  return { kind: 'facts', source: sound.source, ms: sound.ms, peakDb: 20 * Math.log10(peak / 32_768) }
}

/** The refusal as one line: file, position, what was expected, what is there. */
export function describeBadSound({ file, offset, expected, found }: BadSound): string {
  return `${file === '' ? 'sound' : file}: byte ${offset}: expected ${expected}, found ${found}`
}

async function bytesOf(file: string): Promise<Uint8Array | BadSound> {
  try {
    const { size } = await stat(file)
    if (size > LARGEST_SOUND_BYTES) return unreadable(file, `at most ${LARGEST_SOUND_BYTES} bytes`, `${size} bytes`)
    return await readFile(file)
  } catch (error) {
    return unreadable(file, 'a readable file', error instanceof Error ? error.message : String(error))
  }
}

function unreadable(file: string, expected: string, found: string): BadSound {
  return { kind: 'bad-sound', file, offset: 0, expected, found }
}
