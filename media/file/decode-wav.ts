import { decodeSample, G711_RATE_HZ } from '#media/codec/g711.ts'
import { Resampler, type SampleReader } from '#media/file/resampler.ts'
import type { BadSound, Sound } from '#media/file/sound.ts'
import { bad, readWavFormat, type WavLayout } from '#media/file/wav-format.ts'

/** A longer sound is refused: it would be held in memory as a whole. */
export const LONGEST_SOUND_MS = 3_600_000

/** A WAV file's bytes as a sound for the telephone. Any bytes give a sound or a named refusal. */
export function decodeWav(bytes: Uint8Array): Sound | BadSound {
  const decoding = beginWav(bytes)
  if (decoding.kind === 'bad-sound') return decoding
  while (!decoding.step(65_536));
  return decoding.sound
}

/** A decoding under way, in steps of bounded work. */
export interface WavDecoding {
  kind: 'decoding'
  /** Decodes up to so many samples more; true when all is decoded. */
  step(samples: number): boolean
  /** Complete once `step` has returned true. */
  readonly sound: Sound
}

/** Begins to decode; for callers that have other work to do in between (`readSound`). */
export function beginWav(bytes: Uint8Array): WavDecoding | BadSound {
  const wav = readWavFormat(bytes)
  if (wav.kind === 'bad-sound') return wav
  if (wav.frames === 0) return bad(wav.dataOffset, 'at least one sample', 'none')
  const ms = Math.round((wav.frames * 1000) / wav.rateHz)
  if (ms > LONGEST_SOUND_MS)
    return bad(wav.dataOffset, `at most ${LONGEST_SOUND_MS / 60_000} minutes`, `${Math.round(ms / 60_000)} minutes`)
  const resampler = new Resampler(wav.rateHz, wav.frames, sampleReader(bytes, wav))
  const pcm = new Int16Array(resampler.outFrames)
  let done = 0
  return {
    kind: 'decoding',
    sound: { kind: 'sound', pcm, ms: Math.round((pcm.length * 1000) / G711_RATE_HZ), source: sourceOf(wav) },
    step(samples) {
      const until = Math.min(pcm.length, done + samples)
      if (until > done) resampler.range(done, pcm.subarray(done, until))
      done = until
      return done === pcm.length
    },
  }
}

function sourceOf({ encoding, bits, channels, rateHz, truncated }: WavLayout): Sound['source'] {
  return { encoding, bits, channels, rateHz, truncated }
}

/** Reads frames as mono floats in the scale of PCM16; two channels are averaged. */
function sampleReader(bytes: Uint8Array, wav: WavLayout): SampleReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sample = sampleAt(view, wav)
  const { sampleBytes, dataOffset } = wav
  if (wav.channels === 1) {
    return (from, frames, out) => {
      let at = dataOffset + from * sampleBytes
      for (let i = 0; i < frames; i++, at += sampleBytes) out[i] = sample(at)
    }
  }
  return (from, frames, out) => {
    let at = dataOffset + from * 2 * sampleBytes
    for (let i = 0; i < frames; i++, at += 2 * sampleBytes) out[i] = (sample(at) + sample(at + sampleBytes)) / 2
  }
}

function sampleAt(view: DataView, { encoding, bits }: WavLayout): (at: number) => number {
  if (encoding === 'alaw') return (at) => decodeSample('PCMA', view.getUint8(at))
  if (encoding === 'mulaw') return (at) => decodeSample('PCMU', view.getUint8(at))
  if (encoding === 'float') return bits === 32 ? (at) => loud(view.getFloat32(at, true)) : (at) => loud(view.getFloat64(at, true))
  if (bits === 8) return (at) => (view.getUint8(at) - 128) * 256
  if (bits === 16) return (at) => view.getInt16(at, true)
  if (bits === 24) return (at) => view.getInt8(at + 2) * 256 + view.getUint16(at, true) / 256
  return (at) => view.getInt32(at, true) / 65_536
}

/** Float samples: 1 is full scale; what is no number is silence. */
function loud(value: number): number {
  return Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) * 32_767 : 0
}
