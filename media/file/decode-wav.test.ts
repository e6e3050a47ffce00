import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { decodeWav } from '#media/file/decode-wav.ts'
import { describeBadSound, inspectSound, readSound } from '#media/file/read-sound.ts'
import type { Sound } from '#media/file/sound.ts'
import { wavHeader, writeWav } from '#media/file/write-wav.ts'

interface Made {
  tag?: number
  channels?: number
  rateHz?: number
  bits?: number
  data: Uint8Array
  /** What the data chunk says of its size. */
  claimed?: number
  extensible?: boolean
  /** Chunks between fmt and data. */
  before?: Uint8Array[]
}

function chunk(id: string, body: Uint8Array, claimed = body.length): Uint8Array {
  const bytes = new Uint8Array(8 + body.length + (body.length & 1))
  new TextEncoder().encodeInto(id, bytes)
  new DataView(bytes.buffer).setUint32(4, claimed, true)
  bytes.set(body, 8)
  return bytes
}

function wav({
  tag = 1,
  channels = 1,
  rateHz = 8000,
  bits = 16,
  data,
  claimed = data.length,
  extensible = false,
  before = [],
}: Made): Uint8Array {
  const format = new Uint8Array(extensible ? 40 : 16)
  const view = new DataView(format.buffer)
  view.setUint16(0, extensible ? 0xfffe : tag, true)
  view.setUint16(2, channels, true)
  view.setUint32(4, rateHz, true)
  view.setUint32(8, (rateHz * channels * bits) / 8, true)
  view.setUint16(12, (channels * bits) / 8, true)
  view.setUint16(14, bits, true)
  if (extensible) view.setUint16(24, tag, true)
  const parts = [chunk('fmt ', format), ...before, chunk('data', data, claimed)]
  const body = Buffer.concat([Buffer.from('WAVE'), ...parts])
  return chunk('RIFF', body)
}

/** Two seconds of a sine of amplitude 10,000. */
function sine(hz: number, rateHz: number): Float64Array {
  return Float64Array.from({ length: rateHz * 2 }, (_, i) => 10_000 * Math.sin((2 * Math.PI * hz * i) / rateHz))
}

function pcm16(samples: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Int16Array.from(samples, (value) => Math.round(value)).buffer)
}

function decode(bytes: Uint8Array): Sound {
  const sound = decodeWav(bytes)
  assert.ok(sound.kind === 'sound', JSON.stringify(sound))
  return sound
}

function refusal(bytes: Uint8Array): string {
  const sound = decodeWav(bytes)
  assert.ok(sound.kind === 'bad-sound')
  return describeBadSound(sound)
}

/** Amplitude of one frequency, away from the ends. */
function partial(pcm: Int16Array, hz: number): number {
  const middle = pcm.subarray(800, 800 + 8000)
  let re = 0
  let im = 0
  for (const [i, sample] of middle.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * i) / 8000)
    im += sample * Math.sin((2 * Math.PI * hz * i) / 8000)
  }
  return (2 * Math.hypot(re, im)) / middle.length
}

test('PCM16 at 8 kHz comes through untouched', () => {
  const samples = Int16Array.of(0, 1, -1, 32_767, -32_768, 1234)
  assert.deepEqual(decode(wav({ data: pcm16(samples) })).pcm, samples)
})

test('every sample format gives the same sound', () => {
  const samples = sine(440, 8000)
  const expected = Int16Array.from(samples, Math.round)
  const eight = Uint8Array.from(samples, (value) => Math.round(value / 256) + 128)
  const three = new Uint8Array(samples.length * 3)
  for (const [i, value] of samples.entries()) {
    const scaled = Math.round(value * 256)
    three.set([scaled & 255, (scaled >> 8) & 255, (scaled >> 16) & 255], i * 3)
  }
  const four = new Uint8Array(Int32Array.from(samples, (value) => Math.round(value * 65_536)).buffer)
  const float = new Uint8Array(Float32Array.from(samples, (value) => value / 32_767).buffer)
  const double = new Uint8Array(Float64Array.from(samples, (value) => value / 32_767).buffer)
  const files: [string, Uint8Array, number][] = [
    ['8 bit', wav({ bits: 8, data: eight }), 129],
    ['24 bit', wav({ bits: 24, data: three }), 1],
    ['32 bit', wav({ bits: 32, data: four }), 1],
    ['float', wav({ tag: 3, bits: 32, data: float }), 1],
    ['double', wav({ tag: 3, bits: 64, data: double }), 1],
    ['A-law', wav({ tag: 6, bits: 8, data: encodeAll('PCMA', expected) }), 330],
    ['mu-law', wav({ tag: 7, bits: 8, data: encodeAll('PCMU', expected) }), 330],
    ['extensible', wav({ extensible: true, data: pcm16(samples) }), 0],
  ]
  for (const [name, file, tolerance] of files) {
    const { pcm } = decode(file)
    assert.equal(pcm.length, expected.length, name)
    assert.ok(
      pcm.every((value, i) => Math.abs(value - (expected[i] ?? 0)) <= tolerance),
      name,
    )
  }
})

test('two channels are averaged', () => {
  assert.deepEqual([...decode(wav({ channels: 2, data: pcm16([100, 300, -50, 50]) })).pcm], [200, 0])
})

for (const rateHz of [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]) {
  test(`${rateHz} Hz is resampled: speech frequencies keep their level, what is beyond 4.2 kHz is gone`, () => {
    for (const hz of [300, 1000, 3000, 3400]) {
      const { pcm } = decode(wav({ rateHz, data: pcm16(sine(hz, rateHz)) }))
      assert.equal(pcm.length, 16_000)
      assert.ok(Math.abs(partial(pcm, hz) / 10_000 - 1) < 0.02, `${hz} Hz: ${partial(pcm, hz)}`)
    }
    for (const hz of [4400, 5000, 7000, 12_000, 20_000].filter((frequency) => frequency < rateHz / 2)) {
      const { pcm } = decode(wav({ rateHz, data: pcm16(sine(hz, rateHz)) }))
      const loudest = pcm.subarray(800, 15_000).reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      assert.ok(loudest < 10, `${hz} Hz: ${loudest}`)
    }
  })
}

test('odd rates work too', () => {
  assert.equal(decode(wav({ rateHz: 9973, data: pcm16(sine(1000, 9973)) })).ms, 2000)
})

test('unknown and odd-sized chunks are passed over', () => {
  const before = [chunk('LIST', new Uint8Array(7)), chunk('bext', new Uint8Array(602)), chunk('fact', new Uint8Array(4))]
  assert.equal(decode(wav({ before, data: pcm16([1, 2, 3]) })).pcm.length, 3)
})

test('a data size of nothing or of everything means up to the end; beyond the end means truncated', () => {
  for (const claimed of [0, 0xffffffff]) assert.equal(decode(wav({ data: pcm16([1, 2, 3]), claimed })).source.truncated, false)
  const cut = decode(wav({ data: pcm16([1, 2, 3]), claimed: 1000 }))
  assert.deepEqual([cut.pcm.length, cut.source.truncated], [3, true])
})

test('what is no number in a float file is silence, and what is beyond full scale is kept within', () => {
  const data = new Uint8Array(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 7, -7).buffer)
  assert.deepEqual([...decode(wav({ tag: 3, bits: 32, data })).pcm], [0, 0, 32_767, -32_767])
})

test('a file that cannot be played is refused with the place and what was expected there', () => {
  assert.equal(refusal(new Uint8Array(0)), 'sound: byte 0: expected a WAV file (RIFF), found an empty file')
  assert.match(refusal(Buffer.from('ID3\x04rest of a song')), /byte 0: .* found an MP3 file/)
  assert.match(refusal(Buffer.from('OggS............')), /found an Ogg file/)
  assert.match(refusal(wav({ tag: 0x31, data: pcm16([1]) })), /byte 20: expected PCM, float, A-law or mu-law, found format 0x0031/)
  assert.match(refusal(wav({ channels: 6, data: pcm16([1]) })), /byte 22: expected one or two channels, found 6/)
  assert.match(refusal(wav({ rateHz: 96_000, data: pcm16([1]) })), /byte 24: expected 8000 to 48000 Hz, found 96000 Hz/)
  assert.match(refusal(wav({ bits: 12, data: pcm16([1]) })), /byte 34: expected 8, 16, 24, 32 bits/)
  assert.match(refusal(wav({ data: new Uint8Array(0) })), /expected at least one sample/)
  assert.match(refusal(wavHeader(0).subarray(0, 36)), /expected a data chunk, found the end of the file/)
  assert.match(refusal(wav({ rateHz: 8000, bits: 8, data: new Uint8Array(8000 * 3601) })), /at most 60 minutes/)
})

test('any bytes, and any header, give a sound or a refusal', () => {
  const body = fc.uint8Array({ maxLength: 64 })
  const header = fc.record({
    tag: fc.nat(8),
    channels: fc.nat(3),
    rateHz: fc.nat(50_000),
    bits: fc.constantFrom(0, 8, 12, 16, 24, 32, 64),
    data: body,
  })
  fc.assert(
    fc.property(
      header,
      fc.nat(0xffffffff),
      fc.boolean(),
      (made, claimed, extensible) => void decodeWav(wav({ ...made, claimed, extensible })),
    ),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void decodeWav(bytes)))
  fc.assert(
    fc.property(fc.nat(43), fc.nat(255), (at, value) => {
      const bytes = writeWav(Int16Array.of(1, 2, 3, 4))
      bytes[at] = value
      decodeWav(bytes)
    }),
    { numRuns: 1000 },
  )
})

test('what is written reads back', () => {
  const pcm = Int16Array.from(sine(500, 8000), Math.round)
  assert.deepEqual(decode(writeWav(pcm)).pcm, pcm)
  assert.deepEqual(decode(writeWav(pcm, { codec: 'PCMA' })).pcm, decodeAll('PCMA', encodeAll('PCMA', pcm)))
  assert.equal(decode(writeWav(pcm, { rateHz: 16_000 })).ms, 1000)
})

test('a file is read and inspected; a missing or wrong one is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-sound-'))
  const file = join(folder, 'prompt.wav')
  await writeFile(file, wav({ rateHz: 44_100, data: pcm16(sine(1000, 44_100)) }))
  const sound = await readSound(file)
  assert.ok(sound.kind === 'sound' && sound.ms === 2000)
  const facts = await inspectSound(file)
  assert.ok(facts.kind === 'facts' && Math.abs(facts.peakDb - 20 * Math.log10(10_000 / 32_768)) < 0.3)
  await writeFile(file, 'not a sound')
  const bad = await readSound(file)
  assert.ok(bad.kind === 'bad-sound' && bad.file === file)
  const missing = await readSound(join(folder, 'none.wav'))
  assert.ok(missing.kind === 'bad-sound' && missing.found.includes('ENOENT'))
  await rm(folder, { recursive: true })
})
