import type { Millis } from '#base/clock.ts'
import { encodeAll, type G711Law } from '#media/codec/g711.ts'
import { GAP_MS, TONE_MS } from '#media/dtmf/event-sender.ts'
import { renderDigits } from '#media/dtmf/keypad.ts'
import { Player } from '#media/engine/player.ts'

/** Shortest tone, which every detector must take (ITU-T Q.24 table 1: 40 ms), with some room; longest one made from a key held down. */
const LEAST_TONE_MS: Millis = 60
const LONGEST_TONE_MS: Millis = 1000

/** Digits as tones in the audio, for a peer without telephone-events. `after`: digits still sounding, which these follow. */
export function inbandDigits(
  digits: string,
  codec: G711Law,
  times: { toneMs?: Millis | undefined; gapMs?: Millis | undefined; after?: Player | null },
): Player {
  const toneMs = Math.min(LONGEST_TONE_MS, Math.max(LEAST_TONE_MS, times.toneMs ?? TONE_MS))
  const octets = Buffer.from(encodeAll(codec, renderDigits(digits, { toneMs, gapMs: times.gapMs ?? GAP_MS })))
  return new Player([...(times.after?.rest ?? []), { octets, length: octets.length }], codec)
}
