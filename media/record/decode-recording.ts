import { createDecoder } from 'libopus-wasm'
import { readOggOpus } from '#media/record/ogg-opus.ts'

/** Samples of G.711 per 48 kHz granule. */
const GRANULES_PER_SAMPLE = 6

/** Longest Opus packet: 120 ms at 8 kHz. */
const LONGEST_FRAME = 960

/**
 * A recording's audio as mono PCM16 at 8 kHz, all its links one after another: for listening to recordings in tests and at the
 * command line. What is no whole Ogg Opus page is left out.
 */
export async function decodeRecording(bytes: Uint8Array): Promise<Int16Array> {
  const parts: Int16Array[] = []
  for (const { preSkip, samples, packets } of readOggOpus(bytes)) {
    using decoder = await createDecoder({ sampleRate: 8000, channels: 1, maxFrameSize: LONGEST_FRAME })
    const pcm = joined(packets.map((packet) => decoder.decode(packet)))
    const from = Math.round(preSkip / GRANULES_PER_SAMPLE)
    parts.push(pcm.subarray(from, from + Math.round(samples / GRANULES_PER_SAMPLE)))
  }
  return joined(parts)
}

function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
