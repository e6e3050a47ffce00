import Type, { type Static } from 'typebox'
import { Language, Name, document, optional } from '#contract/documents/fields.ts'

/** Where a sound file lies among a company's: relative, with neither `..` nor hidden names, at most six deep. */
export const SoundPath = Type.String({
  pattern: '^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}){0,5}$',
  description: 'the path of a sound file, such as prompts/welcome.wav, without .. or a leading /',
})

/**
 * Something that callers hear: a sound file, or text that is spoken. With both, the file is played and the text is its transcript. At least
 * one is required.
 */
export const Prompt = document('prompt', 'Something that callers hear.', {
  name: optional(Name),
  /** WAV, relative to the document's own file or among the company's uploads. */
  file: optional(SoundPath),
  /** The content of `file`, by its SHA-256; found out when a version is made, so that the version goes on playing it. Given: that content, which has been here. */
  sha256: optional(Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 digits 0 to 9 and a to f' })),
  text: optional(Type.String({ minLength: 1, maxLength: 4000, description: 'a text of 1 to 4000 characters' })),
  /** Default: the company's. */
  language: optional(Language),
  /** A voice of the speech adapter; default: its own for the language. */
  voice: optional(Type.String({ pattern: '^[A-Za-z0-9+_-]{1,60}$', description: 'the name of a voice' })),
  /** `music` is never played before a menu. Default: speech. */
  content: optional(Type.Enum(['speech', 'music']), 'speech'),
  /** It tells the caller that the call is recorded. Default: false. */
  recordingNotice: optional(Type.Boolean(), false),
})
export type Prompt = Static<typeof Prompt>
