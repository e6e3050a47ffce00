import type { Millis } from '#base/clock.ts'
import { decodeDigits } from '#media/dtmf/dtmf-detector.ts'
import { heardTones } from '#media/listen/heard-tones.ts'
import { type PromptLibrary, recognise } from '#media/listen/recognise.ts'
import { levelDb, stretches } from '#media/listen/stretches.ts'

/** Something in received audio, from when to when. */
export type HeardPart = { fromMs: Millis; toMs: Millis } & (
  | { kind: 'prompt'; prompt: string; sureness: number }
  | { kind: 'digit'; digit: string }
  | { kind: 'tone'; frequencies: readonly number[]; levelDbm0: number }
  /** Sound that is none of these: somebody speaks, or music plays. */
  | { kind: 'sound'; levelDb: number }
  | { kind: 'silence' }
)

/**
 * Listens to a whole recording (mono PCM16 at 8 kHz) and tells what is in it, in order: known prompts, keypad digits, tones,
 * other sound, silence. What is told as one thing is not told again as another.
 */
export function listen(pcm: Int16Array, library: PromptLibrary = new Map()): HeardPart[] {
  const prompts = recognise(pcm, library).map(
    ({ prompt, fromMs, toMs, sureness }): HeardPart => ({ kind: 'prompt', prompt, fromMs, toMs, sureness }),
  )
  const digits = decodeDigits(pcm).map(({ digit, fromMs, ms }): HeardPart => ({ kind: 'digit', digit, fromMs, toMs: fromMs + ms }))
  const parts = [...prompts, ...digits.filter((digit) => !overlaps(digit, prompts))]
  const tones = heardTones(pcm).map((tone): HeardPart => ({ kind: 'tone', ...tone }))
  parts.push(...tones.filter((tone) => !overlaps(tone, parts)))
  const rest = stretches(pcm).flatMap((stretch) => without(stretch, parts).map((free) => ({ ...free, kind: stretch.kind })))
  for (const { kind, fromMs, toMs } of rest) {
    if (kind === 'silence') parts.push({ kind, fromMs, toMs })
    else parts.push({ kind, fromMs, toMs, levelDb: levelDb(pcm, fromMs * 8, toMs * 8) })
  }
  return parts.sort((a, b) => a.fromMs - b.fromMs)
}

interface Span {
  fromMs: Millis
  toMs: Millis
}

/** Left-overs shorter than this are edges of what was told. */
const LEAST_MS: Millis = 200

function overlaps(one: Span, others: readonly Span[]): boolean {
  return others.some((other) => one.fromMs < other.toMs && other.fromMs < one.toMs)
}

/** What is left of a span without those told already. */
function without(span: Span, told: readonly Span[]): Span[] {
  let left: Span[] = [span]
  for (const { fromMs, toMs } of told) {
    left = left.flatMap((piece) => {
      if (piece.toMs <= fromMs || piece.fromMs >= toMs) return [piece]
      return [
        { fromMs: piece.fromMs, toMs: fromMs },
        { fromMs: toMs, toMs: piece.toMs },
      ]
    })
  }
  return left.filter((piece) => piece.toMs - piece.fromMs >= LEAST_MS)
}
