import type { SpeechProgram } from '#media/speech/speech-port.ts'

/** CMU Flite: English, by voices made from people's. */
export const flite: SpeechProgram = {
  name: 'flite',
  install: 'apt-get install flite (English only)',
  arguments({ language, voice }, wav) {
    if (voice === undefined ? !/^en(-|$)/i.test(language) : !VOICES.has(voice)) return null
    return ['-voice', voice ?? 'slt', '-f', '-', '-o', wav]
  },
}

/** Those that come with it. A name that is none of them would be taken for a file. */
const VOICES = new Set(['kal', 'kal16', 'awb', 'awb_time', 'rms', 'slt'])
