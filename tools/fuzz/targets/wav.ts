import assert from 'node:assert/strict'
import { decodeWav, LONGEST_SOUND_MS } from '#media/file/decode-wav.ts'
import { wavHeader, writeWav } from '#media/file/write-wav.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const pcm = Int16Array.from({ length: 400 }, (_, i) => 8_000 * Math.sin(i / 3))

/** A header with other fields than we write: encoding, channels, rate, bits. */
function other(fields: { encoding: number; channels: number; rateHz: number; bits: number }, data: Uint8Array): Buffer {
  const header = Buffer.from(wavHeader(data.length))
  const frame = (fields.channels * fields.bits) / 8
  header.writeUInt16LE(fields.encoding, 20)
  header.writeUInt16LE(fields.channels, 22)
  header.writeUInt32LE(fields.rateHz, 24)
  header.writeUInt32LE(fields.rateHz * frame, 28)
  header.writeUInt16LE(frame, 32)
  header.writeUInt16LE(fields.bits, 34)
  return Buffer.concat([header, data])
}

const bytes = Buffer.alloc(480, 0x35)

/** A company's sound file, to the last sample that would be played. */
export const wavTarget: FuzzTarget = {
  name: 'wav',
  seeds: () => [
    writeWav(pcm),
    writeWav(pcm, { rateHz: 16_000 }),
    writeWav(pcm, { codec: 'PCMA' }),
    other({ encoding: 1, channels: 2, rateHz: 44_100, bits: 16 }, bytes),
    other({ encoding: 1, channels: 1, rateHz: 48_000, bits: 24 }, bytes),
    other({ encoding: 1, channels: 1, rateHz: 8_000, bits: 8 }, bytes),
    other({ encoding: 3, channels: 1, rateHz: 22_050, bits: 32 }, bytes),
    other({ encoding: 7, channels: 2, rateHz: 8_000, bits: 8 }, bytes),
  ],
  // One datagram's worth of samples at the lowest rate is many seconds of telephone audio.
  limitMs: 100,
  run(input) {
    const sound = decodeWav(input)
    if (sound.kind === 'bad-sound') {
      assert.ok(sound.offset >= 0 && sound.offset <= input.length, `offset ${sound.offset}`)
      return sound.expected
    }
    const { source } = sound
    assert.ok(sound.ms >= 0 && sound.ms <= LONGEST_SOUND_MS, `${sound.ms} ms`)
    assert.ok(Math.abs(sound.pcm.length / 8 - sound.ms) <= 1, `${sound.pcm.length} samples last ${sound.ms} ms`)
    return `${source.encoding} ${source.bits} ${source.channels} ${source.truncated}`
  },
}
