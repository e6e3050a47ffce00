import type { Millis } from '#base/clock.ts'
import { encodeAll, G711_PER_MS } from '#media/codec/g711.ts'
import { GAP_MS, TONE_MS } from '#media/dtmf/event-sender.ts'
import type { Codec } from '#media/engine.ts'
import { type Clip, silentClip } from '#media/engine/clip.ts'
import { Player } from '#media/engine/player.ts'
import { renderCadence } from '#media/tone/tones.ts'

/** Rows and columns of the keypad, in Hz (ITU-T Q.23). */
const ROWS = [697, 770, 852, 941]
const COLUMNS = [1209, 1336, 1477, 1633]
const KEYPAD = '123A456B789C*0#D'

/** Level of each of the two tones, in dBm0 (ITU-T Q.24 leaves -3 to -25). */
const LEVEL_DBM0 = -9

/** Longest tone made from a key held down. */
const LONGEST_TONE_MS: Millis = 1000

/** Digits as tones in the audio, for a peer without telephone-events. `after`: digits still sounding, which these follow. */
export function inbandDigits(
  digits: string,
  codec: Codec,
  times: { toneMs?: Millis | undefined; gapMs?: Millis | undefined; after?: Player | null },
): Player {
  const toneMs = Math.min(LONGEST_TONE_MS, Math.max(TONE_MS / 2, times.toneMs ?? TONE_MS))
  const gap = silentClip(times.gapMs ?? GAP_MS)
  const clips: Clip[] = []
  for (const digit of digits.toUpperCase()) {
    const key = KEYPAD.indexOf(digit)
    if (key < 0) continue
    clips.push(tone([ROWS[key >> 2] ?? 0, COLUMNS[key & 3] ?? 0], toneMs, codec), gap)
  }
  return new Player([...(times.after?.rest ?? []), ...clips], codec)
}

function tone(frequencies: readonly number[], ms: Millis, codec: Codec): Clip {
  const octets = Buffer.from(encodeAll(codec, renderCadence([{ frequencies, ms }], LEVEL_DBM0)))
  return { octets, length: Math.round(ms) * G711_PER_MS }
}
