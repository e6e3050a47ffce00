import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { encodeInto, type G711Law } from '#media/codec/g711.ts'
import type { SoundFault, SoundReader } from '#media/engine/sounds.ts'
import { describeBadSound, readSound } from '#media/file/read-sound.ts'

/** Samples encoded before others get a turn: well under a millisecond. */
const SLICE = 32_768

/** Reads sounds from files. `folder`: where relative names begin. */
export function fileSounds(folder: string): SoundReader {
  const stampOf = async (file: string): Promise<string | null> => {
    try {
      const { mtimeMs, size, ino } = await stat(resolve(folder, file))
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      return null
    }
  }
  return {
    stampOf,
    async read(file, codec): Promise<{ octets: Buffer; stamp: string } | SoundFault> {
      // Before the content: a file replaced in between is then read again, not kept for good.
      const stamp = await stampOf(file)
      const sound = await readSound(resolve(folder, file))
      if (sound.kind === 'bad-sound') return { kind: 'fault', cause: describeBadSound(sound) }
      return { octets: await encode(codec, sound.pcm), stamp: stamp ?? '' }
    },
  }
}

async function encode(codec: G711Law, pcm: Int16Array): Promise<Buffer> {
  const octets = Buffer.alloc(pcm.length)
  for (let from = 0; from < pcm.length; from += SLICE) {
    encodeInto(codec, pcm.subarray(from, from + SLICE), octets, from)
    await setImmediate()
  }
  return octets
}
