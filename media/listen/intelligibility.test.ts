import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { babble } from '#media/listen/babble.ts'
import { intelligibility } from '#media/listen/intelligibility.ts'

const said = babble(1, 10_000)

test('what is heard as it was said, later and softer, is understood wholly', () => {
  const heard = new Int16Array(said.length + 4000)
  heard.set(
    said.map((sample) => sample / 2),
    3217,
  )
  const { mean, worst, delay } = intelligibility(said, heard)
  assert.ok(mean > 0.999 && worst > 0.999 && delay === 3217, JSON.stringify({ mean, worst, delay }))
  const { mean: coded } = intelligibility(said, decodeAll('PCMU', encodeAll('PCMU', said)))
  assert.ok(coded > 0.98, `${coded} through G.711`)
})

test('another text, noise and silence are not understood', () => {
  let state = 1
  const noise = Int16Array.from({ length: said.length }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) | 0) >> 19)
  for (const heard of [babble(2, 10_000), noise, new Int16Array(said.length)]) {
    const { mean } = intelligibility(said, heard)
    assert.ok(mean < 0.3, String(mean))
  }
})

test('the louder the noise, the less is understood', () => {
  let state = 1
  const noise = Int16Array.from({ length: said.length }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) | 0) >> 20)
  const scores = [0, 0.5, 2, 8].map(
    (gain) =>
      intelligibility(
        said,
        said.map((sample, i) => sample + gain * (noise[i] as number)),
      ).mean,
  )
  assert.ok(
    scores.every((score, i) => i === 0 || score < (scores[i - 1] as number) - 0.02),
    scores.join(' '),
  )
})

test('a delay that changes on the way is followed', () => {
  const heard = new Int16Array(said.length + 2000)
  heard.set(said.subarray(0, 40_000), 800)
  heard.set(said.subarray(40_000), 41_100)
  const { mean, worst } = intelligibility(said, heard)
  assert.ok(mean > 0.98 && worst > 0.8, JSON.stringify({ mean, worst }))
})

test('nothing said, or too little, gives nothing', () => {
  for (const pcm of [new Int16Array(0), new Int16Array(8000), said.subarray(0, 200)]) assert.equal(intelligibility(pcm, said).mean, 0)
})
