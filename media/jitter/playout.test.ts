import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Playout } from '#media/jitter/playout.ts'
import { playThrough, seeded, type Sent, voiceLike } from '#media/jitter/test-stream.ts'

const MS = 8000

/** Where `part` of the output stands in the clean signal, and how alike they are there, 0 to 1. */
function bestMatch(clean: Int16Array, out: Int16Array, from: number, length: number): { delayMs: number; likeness: number } {
  let best = { delayMs: 0, likeness: 0 }
  for (let delay = 0; delay <= 300 * 8; delay++) {
    let product = 0
    let a = 1
    let b = 1
    for (let i = from; i < from + length; i += 4) {
      const x = clean[i - delay] ?? 0
      const y = out[i] as number
      product += x * y
      a += x * x
      b += y * y
    }
    const likeness = product / Math.sqrt(a * b)
    if (likeness > best.likeness) best = { delayMs: delay / 8, likeness }
  }
  return best
}

/** Mean likeness over stretches of 200 ms, each where it fits best. */
function likenessOf(clean: Int16Array, out: Int16Array): number {
  const parts: number[] = []
  for (let from = 1000 * 8; from + 1600 <= out.length; from += 1600) parts.push(bestMatch(clean, out, from, 1600).likeness)
  return parts.reduce((sum, each) => sum + each, 0) / parts.length
}

const all = (count: number): Sent[] => Array.from({ length: count }, (_, n) => ({ n, at: n * 20 }))

test('what arrives in time comes out whole, at most 60 ms later', () => {
  const pcm = voiceLike(MS)
  const playout = new Playout(8000)
  const out = playThrough(playout, pcm, all(400), MS)
  const { delayMs, likeness } = bestMatch(pcm, out, 2000 * 8, 1600)
  assert.ok(likeness > 0.999 && delayMs <= 60, `${likeness} after ${delayMs} ms`)
  assert.deepEqual([playout.late, playout.concealedMs, playout.shortenedMs], [0, 0, 0])
})

test('30 ms of jitter with packets overtaking each other and coming twice is not heard', () => {
  const random = seeded(5)
  const pcm = voiceLike(MS)
  const packets = all(400).flatMap(({ n, at }) => {
    const sent = { n, at: at + random.below(31) }
    return n % 10 === 0 ? [sent, { n, at: sent.at + 5 }] : [sent]
  })
  const playout = new Playout(8000)
  const out = playThrough(playout, pcm, packets, MS)
  const likeness = likenessOf(pcm, out)
  assert.ok(likeness > 0.98, `likeness ${likeness}`)
  assert.ok(playout.concealedMs <= 200, `${playout.concealedMs} ms concealed`)
  assert.equal(playout.duplicates + playout.late >= 38, true, `${playout.duplicates} duplicates, ${playout.late} late`)
  assert.ok(playout.figures.delayMs <= 60, `${playout.figures.delayMs} ms held back`)
})

test('concealed losses are far nearer to what was said than silence in their place', () => {
  const random = seeded(9)
  const pcm = voiceLike(MS)
  const kept = all(400).filter(({ n }) => n < 20 || random.below(100) >= 5)
  const playout = new Playout(8000)
  const out = playThrough(playout, pcm, kept, MS)
  const whole = playThrough(new Playout(8000), pcm, all(400), MS)
  const lost = new Set(all(400).map(({ n }) => n))
  for (const { n } of kept) lost.delete(n)
  const { delayMs } = bestMatch(pcm, whole, 2000 * 8, 1600)
  let concealedError = 0
  let silentError = 0
  for (const n of lost) {
    for (let i = 0; i < 160; i++) {
      const clean = whole[n * 160 + delayMs * 8 + i] ?? 0
      concealedError += (clean - (out[n * 160 + delayMs * 8 + i] ?? 0)) ** 2
      silentError += clean ** 2
    }
  }
  const gainDb = 10 * Math.log10(silentError / concealedError)
  assert.ok(lost.size >= 10 && gainDb > 4, `${lost.size} lost: concealing is ${gainDb.toFixed(1)} dB better than silence`)
})

test('a sender whose clock is fast or slow is followed without growing delay', () => {
  for (const ppm of [2000, -2000]) {
    const pcm = voiceLike(60_000)
    const packets = Array.from({ length: 2900 }, (_, n) => ({ n, at: n * 20 * (1 - ppm / 1e6) }))
    const playout = new Playout(8000)
    const out = playThrough(playout, pcm, packets, 56_000)
    const { likeness } = bestMatch(pcm, out, 20_000 * 8, 800)
    assert.ok(likeness > 0.5, `${ppm} ppm: likeness ${likeness}`)
    assert.ok(ppm > 0 ? playout.shortenedMs > 50 : playout.concealedMs > 50, `${ppm} ppm: ${JSON.stringify(playout.figures)}`)
    assert.ok(playout.late < 30, `${ppm} ppm: ${playout.late} late`)
  }
})

test('after a stall of half a second what is old is shed, and speech goes on', () => {
  const pcm = voiceLike(MS)
  const packets = all(400).map(({ n, at }) => ({ n, at: n >= 150 && n < 175 ? 175 * 20 : at }))
  const playout = new Playout(8000)
  const out = playThrough(playout, pcm, packets, MS)
  const { delayMs, likeness } = bestMatch(pcm, out, 7000 * 8, 1600)
  assert.ok(likeness > 0.95 && delayMs < 260, `${likeness} after ${delayMs} ms`)
})

test('a pause in the timestamps is a pause, and neither concealed nor lost', () => {
  const pcm = voiceLike(MS)
  const playout = new Playout(8000)
  const packets = all(400).filter(({ n }) => n < 100 || n >= 200)
  const renumbered = packets.map(({ n, at }) => ({ n, at }))
  const out = playThrough(playout, pcm, renumbered, MS)
  assert.ok(out.subarray(2400 * 8, 3800 * 8).every((sample) => sample === 0))
  assert.ok(playout.concealedMs <= 100, `${playout.concealedMs} ms concealed`)
})

test('whatever arrives, in whatever order, a pull gives what was asked for and the figures stay true', () => {
  const packet = fc.record({ n: fc.integer({ min: 0, max: 200 }), at: fc.integer({ min: 0, max: 3000 }) })
  const pcm = voiceLike(4100)
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 120 }), (packets) => {
      const playout = new Playout(16_000)
      const out = playThrough(playout, pcm, packets, 1000)
      assert.equal(out.length, 8000)
      assert.ok(playout.late + playout.duplicates <= packets.length)
    }),
    { numRuns: 50 },
  )
})
