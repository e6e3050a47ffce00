import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAll, decodeInto, decodeSample, encodeAll, encodeInto, type G711Law, SILENCE, transcodeInPlace } from '#media/codec/g711.ts'

const EVERY_OCTET = Uint8Array.from({ length: 256 }, (_, i) => i)
const EVERY_SAMPLE = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768)
const LAWS: readonly G711Law[] = ['PCMU', 'PCMA']

test('the decoders give the values of ITU-T G.711 tables 1 and 2 at their corners', () => {
  const mu = [0x00, 0x80, 0x7f, 0xff, 0x8f, 0xf0].map((octet) => decodeSample('PCMU', octet))
  assert.deepEqual(
    mu,
    [-32_124, 32_124, 0, 0, 16_764, 120].map((v) => v + 0),
  )
  const a = [0x2a, 0xaa, 0x55, 0xd5, 0x80, 0xc5].map((octet) => decodeSample('PCMA', octet))
  assert.deepEqual(a, [-32_256, 32_256, -8, 8, 5504, 264])
})

test('every octet comes back as itself after decoding and encoding, but for the second zero of mu-law', () => {
  for (const law of LAWS) {
    const again = encodeAll(law, decodeAll(law, EVERY_OCTET))
    const different = EVERY_OCTET.filter((octet) => again[octet] !== octet)
    assert.deepEqual([...different], law === 'PCMU' ? [0x7f] : [])
  }
})

test('every sample is encoded within half a step of its segment', () => {
  for (const law of LAWS) {
    const back = decodeAll(law, encodeAll(law, EVERY_SAMPLE))
    for (const [i, sample] of EVERY_SAMPLE.entries()) {
      const error = Math.abs(sample - (back[i] ?? 0))
      const clipped = Math.abs(sample) > 32_100
      assert.ok(error <= Math.max(16, Math.abs(sample) / 16) || (clipped && error <= 650), `${law} ${sample}: ${error}`)
    }
  }
})

test('encoding never falls as the sample rises', () => {
  for (const law of LAWS) {
    const back = decodeAll(law, encodeAll(law, EVERY_SAMPLE))
    assert.ok(back.every((value, i) => i === 0 || value >= (back[i - 1] ?? 0)))
  }
})

test('one law turns into the other as if through linear samples, and back without a further step of error', () => {
  const octets = EVERY_OCTET.slice()
  transcodeInPlace('PCMA', 'PCMU', octets)
  assert.deepEqual(octets, encodeAll('PCMU', decodeAll('PCMA', EVERY_OCTET)))
  transcodeInPlace('PCMU', 'PCMA', octets)
  const [was, is] = [decodeAll('PCMA', EVERY_OCTET), decodeAll('PCMA', octets)]
  assert.ok(was.every((value, i) => Math.abs(value - (is[i] ?? 0)) <= Math.max(16, Math.abs(value) / 16)))
})

test('silence decodes to next to nothing', () => {
  for (const law of LAWS) assert.ok(Math.abs(decodeSample(law, SILENCE[law])) <= 8)
})

test('what does not fit into the target is left out', () => {
  const pcm = new Int16Array(10)
  assert.equal(decodeInto('PCMU', EVERY_OCTET, pcm, 7), 3)
  assert.equal(decodeInto('PCMU', EVERY_OCTET, pcm, 11), 0)
  assert.equal(encodeInto('PCMA', EVERY_SAMPLE, new Uint8Array(5), 1), 4)
})
