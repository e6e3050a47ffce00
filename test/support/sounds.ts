import { stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { heardTones } from '#media/listen/heard-tones.ts'
import { readSound } from '#media/file/read-sound.ts'
import { writeWav } from '#media/file/write-wav.ts'

/** A sound file with one steady tone, far enough from keypad and call-progress frequencies to be known again. */
export function toneFile(hertz: number, seconds: number): Uint8Array {
  const pcm = new Int16Array(8_000 * seconds)
  for (let n = 0; n < pcm.length; n++) pcm[n] = Math.round(8_000 * Math.sin((2 * Math.PI * hertz * n) / 8_000))
  return writeWav(pcm)
}

/** A frequency heard alone, to 20 Hz, and for how long. */
export interface Heard {
  hertz: number
  ms: number
}

/** The tones in recordings, in order; stretches under 300 ms left out, those of one frequency that follow each other put together. */
export async function tonesIn(files: readonly string[]): Promise<Heard[]> {
  const all: Heard[] = []
  for (const file of files) {
    const sound = await readSound(file)
    if (sound.kind === 'bad-sound') throw new Error(`${file}: expected ${sound.expected}, found ${sound.found}`)
    for (const tone of heardTones(sound.pcm)) {
      const ms = tone.toMs - tone.fromMs
      if (tone.frequencies.length > 1 || ms < 300) continue
      const hertz = Math.round((tone.frequencies[0] ?? 0) / 20) * 20
      const last = all.at(-1)
      if (last?.hertz === hertz) last.ms += ms
      else all.push({ hertz, ms })
    }
  }
  return all
}

/** Resolves when a condition holds, looked at 20 times a second; rejects after a while. For what no program tells of itself: a file that grows. */
export async function until(what: string, holds: () => Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await pause(50)
  }
}

export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}
