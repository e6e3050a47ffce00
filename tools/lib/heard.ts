import { TONE_PLANS, type Cadence, type ToneName } from '#media/tone/plan.ts'
import { type HeardPart, listen } from '#media/listen/listen.ts'
import { describeBadSound, readSound } from '#media/file/read-sound.ts'
import { decodeWav } from '#media/file/decode-wav.ts'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** What a company's callers can hear: sounds by prompt, and their words where they are known. */
export interface PromptBook {
  sounds: ReadonlyMap<string, Int16Array>
  texts: ReadonlyMap<string, string>
}

/** Fetches the prompts of a company's current configuration. */
export async function promptBook(api: ApiClient): Promise<PromptBook> {
  const { prompts } = await api.get<{ prompts: { id: string; text: string | null; ms: number | null }[] }>('/v1/prompts')
  const sounds = new Map<string, Int16Array>()
  const texts = new Map<string, string>()
  for (const { id, text, ms } of prompts) {
    if (text !== null) texts.set(id, text)
    if (ms === null) continue
    const sound = decodeWav(await api.bytes(`/v1/prompts/${encodeURIComponent(id)}/sound`))
    if (sound.kind === 'sound') sounds.set(id, sound.pcm)
  }
  return { sounds, texts }
}

/** Listens to a tape. */
export async function hear(tape: string, book: PromptBook): Promise<HeardPart[]> {
  const sound = await readSound(tape)
  if (sound.kind === 'bad-sound') throw new Trouble(describeBadSound(sound))
  return listen(sound.pcm, book.sounds)
}

/** What was heard, a line each: from when to when, what, how surely. `startMs`: when the tape began. */
export function transcript(parts: readonly HeardPart[], book: PromptBook, startMs: number): string[] {
  return grouped(parts).map(({ fromMs, toMs, what }) => {
    const text = what.kind === 'prompt' ? book.texts.get(what.prompt) : undefined
    return `${clock(startMs + fromMs)} to ${clock(startMs + toMs)}  ${describe(what)}${text === undefined ? '' : `: ${text}`}`
  })
}

type Heard = HeardPart | { kind: 'cadence'; frequencies: readonly number[]; bursts: number; onMs: number; fromMs: number; toMs: number }

function describe(what: Heard): string {
  switch (what.kind) {
    case 'prompt':
      return `"${what.prompt}" (${(what.sureness * 100).toFixed(0)} % sure)`
    case 'digit':
      return `key ${what.digit}`
    case 'tone':
      return `tone of ${what.frequencies.join(' and ')} Hz`
    case 'cadence':
      return `${toneName(what)}, ${what.bursts === 1 ? 'once' : `${what.bursts} times`}`
    case 'sound':
      return `other sound, ${what.levelDb.toFixed(0)} dB`
    case 'silence':
      return 'silence'
  }
}

/** Bursts of one tone with pauses between become one line. */
function grouped(parts: readonly HeardPart[]): { fromMs: number; toMs: number; what: Heard }[] {
  const lines: { fromMs: number; toMs: number; what: Heard }[] = []
  for (const [i, part] of parts.entries()) {
    const last = lines.at(-1)
    const next = parts[i + 1]
    if (part.kind === 'tone') {
      const { fromMs, toMs, frequencies } = part
      if (last?.what.kind === 'cadence' && sameTone(last.what.frequencies, frequencies)) {
        last.toMs = toMs
        last.what.bursts++
      } else lines.push({ fromMs, toMs, what: { kind: 'cadence', frequencies, bursts: 1, onMs: toMs - fromMs, fromMs, toMs } })
    } else if (
      part.kind === 'silence' &&
      last?.what.kind === 'cadence' &&
      next?.kind === 'tone' &&
      sameTone(last.what.frequencies, next.frequencies)
    ) {
      last.toMs = part.toMs
    } else lines.push({ fromMs: part.fromMs, toMs: part.toMs, what: part })
  }
  return lines
}

function sameTone(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((hz, i) => Math.abs(hz - (other[i] ?? 0)) <= 12)
}

const toneNames: Readonly<Record<ToneName, string>> = {
  ringback: 'ringing tone',
  busy: 'busy tone',
  congestion: 'congestion tone',
  dial: 'dial tone',
  beep: 'beep',
}

/** The call-progress tone of some country that sounds so, else its frequencies. */
function toneName({ frequencies, onMs }: { frequencies: readonly number[]; onMs: number }): string {
  const fits = (cadence: Cadence): boolean => {
    const burst = cadence[0]
    return (
      burst !== undefined &&
      sameTone(burst.frequencies, frequencies) &&
      (cadence.length === 1 ? onMs > 900 : Math.abs(burst.ms - onMs) <= 60)
    )
  }
  for (const plan of Object.values(TONE_PLANS)) {
    for (const name of ['ringback', 'busy', 'congestion', 'beep', 'dial'] as const) if (fits(plan[name])) return toneNames[name]
  }
  return `tone of ${frequencies.join(' and ')} Hz`
}

/** `1:02.3`. */
function clock(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  return `${minutes}:${((ms - minutes * 60_000) / 1000).toFixed(1).padStart(4, '0')}`
}
