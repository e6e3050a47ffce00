import assert from 'node:assert/strict'
import { test } from 'node:test'
import { G722Encoder } from '#media/codec/g722.ts'
import { goertzel } from '#media/dtmf/goertzel.ts'
import { FrameBatch, readBatch } from '#media/record/frame-batch.ts'
import type { VoiceFrame } from '#media/record/recorder.ts'
import { VoiceDecoder } from '#media/record/voice-decoder.ts'

test('a wideband speaker is recorded at 8 kHz, through the batch to the worker', () => {
  const encoder = new G722Encoder()
  const batch = new FrameBatch(new ArrayBuffer(64_000))
  for (let n = 0; n < 50; n++) {
    const pcm = Int16Array.from({ length: 320 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 700 * (n * 320 + i)) / 16_000))
    const payload = new Uint8Array(160)
    encoder.encode(pcm, payload)
    assert.ok(batch.add(1, 0, { speaker: 0, at: n * 20, timestamp: n * 160, codec: 'G722', payload }))
  }
  const decoder = new VoiceDecoder()
  const out: number[] = []
  readBatch(batch.bytes.buffer, batch.length, (_, frame) => {
    const pcm = new Int16Array(960)
    out.push(...pcm.subarray(0, decoder.decode(frame, pcm)))
  })
  assert.equal(out.length, 8000)
  const tail = out.slice(4000)
  const level = Math.sqrt((goertzel(tail, 2 * Math.cos((2 * Math.PI * 700) / 8000)) * 2) / tail.length)
  assert.ok(Math.abs(level - 8000) < 400, `recorded at ${level}`)
})

test('timestamps of opus are told on the clock of 8 kHz, also where they wrap around', () => {
  const decoder = new VoiceDecoder()
  const frame = (timestamp: number): VoiceFrame => ({
    speaker: 0,
    at: 0,
    timestamp: timestamp >>> 0,
    codec: 'opus',
    payload: new Uint8Array(1),
  })
  const first = decoder.timestamp(frame(2 ** 32 - 960))
  const second = decoder.timestamp(frame(0))
  const third = decoder.timestamp(frame(1920))
  assert.deepEqual([(second - first) | 0, (third - second) | 0], [160, 320])
})
