import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { G722Decoder, G722Encoder } from '#media/codec/g722.ts'

/** Delay of both filter banks together, in samples at 16 kHz (ITU-T G.722 §1.4: 3.4 to 4 ms with framing; of the filters alone 22). */
const DELAY = 22

function sine(hz: number, amplitude: number, samples = 16_000): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / 16_000)))
}

function roundTrip(pcm: Int16Array): Int16Array {
  const payload = new Uint8Array(pcm.length / 2)
  new G722Encoder().encode(pcm, payload)
  const out = new Int16Array(pcm.length)
  new G722Decoder().decode(payload, out)
  return out
}

/** Signal to noise, in dB, once both have settled. */
function snr(pcm: Int16Array, out: Int16Array): number {
  let signal = 0
  let noise = 0
  for (let i = 2000; i < pcm.length; i++) {
    const clean = pcm[i - DELAY] as number
    signal += clean ** 2
    noise += (clean - (out[i] as number)) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

test('tones of both bands come through with the ratio of signal to noise that the quantisers allow', () => {
  for (const [hz, least] of [
    [300, 45],
    [1020, 40],
    [3000, 35],
    [5000, 20],
    [6500, 20],
  ] as const) {
    const pcm = sine(hz, 8000)
    const ratio = snr(pcm, roundTrip(pcm))
    assert.ok(ratio >= least, `${hz} Hz: ${ratio.toFixed(1)} dB`)
  }
})

test('a vowel comes through at every level of speech', () => {
  for (const amplitude of [200, 1000, 6000]) {
    const pcm = Int16Array.from({ length: 16_000 }, (_, i) =>
      Math.round(
        [1, 0.6, 0.4, 0.2].reduce((sum, gain, k) => sum + amplitude * gain * Math.sin((2 * Math.PI * 140 * (k + 1) * i) / 16_000), 0),
      ),
    )
    const ratio = snr(pcm, roundTrip(pcm))
    assert.ok(ratio >= 25, `amplitude ${amplitude}: ${ratio.toFixed(1)} dB`)
  }
})

test('silence is silence, and the loudest square wave stays within 16 bit', () => {
  const silent = roundTrip(new Int16Array(3200))
  assert.ok(silent.every((sample) => Math.abs(sample) <= 8))
  const loud = roundTrip(Int16Array.from({ length: 3200 }, (_, i) => (i % 40 < 20 ? 32_767 : -32_768)))
  assert.ok(Math.max(...loud) > 20_000)
})

test('a decoder that missed packets finds back to the encoder', () => {
  const pcm = sine(700, 6000, 32_000)
  const payload = new Uint8Array(pcm.length / 2)
  new G722Encoder().encode(pcm, payload)
  const decoder = new G722Decoder()
  const out = new Int16Array(pcm.length)
  for (let at = 0; at < payload.length; at += 160) {
    if (at !== 3200) decoder.decode(payload.subarray(at, at + 160), out.subarray(at * 2))
  }
  assert.ok(snr(pcm.subarray(16_000), out.subarray(16_000)) > 30)
})

test('any octets decode to as many samples as they stand for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 480 }), (payload) => {
      assert.equal(new G722Decoder().decode(payload, new Int16Array(960)), payload.length * 2)
    }),
  )
})
