import type { SpeechProgram } from '#media/speech/speech-port.ts'

/** eSpeak NG: small, in a hundred languages, with the voice of a machine. */
export const espeak: SpeechProgram = {
  name: 'espeak-ng',
  install: 'apt-get install espeak-ng, brew install espeak-ng',
  arguments({ language, voice }, wav) {
    return ['-v', voice ?? voiceOf(language), '-s', WORDS_PER_MINUTE, '-b', UTF8, '--stdin', '-w', wav]
  },
}

/** A little slower than its default of 175: telephone callers listen once. */
const WORDS_PER_MINUTE = '150'

const UTF8 = '1'

/** The languages that eSpeak names otherwise than BCP 47 does. */
const VOICES = new Map([
  ['zh', 'cmn'],
  ['zh-hk', 'yue'],
  ['zh-mo', 'yue'],
  ['no', 'nb'],
])

/** Those that it speaks with a regional accent. */
const REGIONAL = new Set(['en-gb', 'en-us', 'es-419', 'fr-be', 'fr-ch', 'pt-br'])

function voiceOf(language: string): string {
  const tag = language.toLowerCase()
  if (REGIONAL.has(tag)) return tag
  const primary = tag.split('-', 1)[0] ?? tag
  return VOICES.get(tag) ?? VOICES.get(primary) ?? primary
}
