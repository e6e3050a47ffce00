import type { Log } from '#base/log.ts'
import { CachedSpeech } from '#media/speech/cached-speech.ts'
import { espeak } from '#media/speech/espeak.ts'
import { flite } from '#media/speech/flite.ts'
import type { Speech, SpeechProgram } from '#media/speech/speech-port.ts'

/** What the machine speaks with, best first: flite for English sounds more human, espeak-ng has every language. */
export const PROGRAMS: readonly SpeechProgram[] = [flite, espeak]

/** Speech by the programs of this machine, kept in `folder`, which may grow to `mostBytes` (default 256 MB: four hours). */
export function openSpeech(options: { folder: string; log: Log; mostBytes?: number }): Speech {
  return new CachedSpeech({ mostBytes: 256 * 1024 * 1024, programs: PROGRAMS, ...options })
}
