/** Turns text into a sound file that can be played: mono WAV at 8 kHz. */
export interface Speech {
  /** The file; the same text and voice give the same file without speaking again. Rejects with a `SpeechError`. */
  synthesize(text: string, how: SpeechOptions): Promise<string>
}

export interface SpeechOptions {
  /** BCP 47, such as `ru`, `en-GB`, `zh-Hant`. */
  language: string
  /** A voice of one of the programs; default: the best there is for the language. */
  voice?: string
}

/** Longest text that is spoken, in characters: some minutes. */
export const LONGEST_TEXT = 5000

/** Why a text could not be spoken. */
export class SpeechError extends Error {
  override readonly name = 'SpeechError'
  readonly reason: 'no-program' | 'bad-text' | 'bad-voice' | 'failed' | 'timeout'

  constructor(reason: SpeechError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** One program that speaks, without network. */
export interface SpeechProgram {
  readonly name: string
  /** How to get it, for people. */
  readonly install: string
  /** The arguments to speak the text on standard input into `wav`; null when it has no such language or voice. */
  arguments(how: SpeechOptions, wav: string): readonly string[] | null
}
