import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DelayEstimate } from '#media/jitter/delay.ts'
import { seeded } from '#media/jitter/test-stream.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A sender whose packet stands at `media` in its stream and arrives at `at` at the earliest, 20 ms after 20 ms of what it says. */
type Way = (n: number) => { at: number; media: number } | null

/** Sends over `ms` with that jitter: what is held back at the end of each second, by the second. */
function heldBack(way: Way, ms: number, jitterMs: number): Map<number, number> {
  const random = seeded(3)
  const delay = new DelayEstimate()
  const seconds = new Map<number, number>()
  for (let n = 0; n < ms / 20; n++) {
    const packet = way(n)
    if (packet === null) continue
    delay.packet(packet.at + random.below(jitterMs + 1), (packet.media * 8) | 0, 8)
    seconds.set(Math.floor(packet.at / 1000), delay.ms)
  }
  return seconds
}

/** The most that is held back from one second on. */
const mostFrom = (seconds: Map<number, number>, from: number): number =>
  Math.max(...[...seconds].filter(([second]) => second >= from).map(([, ms]) => ms))

/** After a minute, and ten packets of a window, everything comes so much later by the sender's timestamps. */
const laterBy =
  (ms: number): Way =>
  (n) => ({ at: n * 20 + (n < 3010 ? 0 : ms), media: n * 20 })

for (const { what, way, ms, eventAt, within } of [
  { what: 'a sender that stood still for two seconds', way: laterBy(2000), ms: 2 * MINUTE, eventAt: 62, within: 1 },
  { what: 'a sender that stood still for less than a second', way: laterBy(800), ms: 2 * MINUTE, eventAt: 61, within: 10 },
  { what: 'a mute of a minute in which the timestamps stood still', way: laterBy(MINUTE), ms: 2 * MINUTE, eventAt: 120, within: 1 },
  { what: 'a route that became 150 ms longer', way: laterBy(150), ms: 2 * MINUTE, eventAt: 61, within: 10 },
])
  test(`after ${what} no more is held back than before`, () => {
    for (const jitterMs of [0, 30, 90]) {
      const seconds = heldBack(way, ms, jitterMs)
      const before = seconds.get(59) ?? Number.NaN
      assert.ok(mostFrom(seconds, eventAt + within) <= before, `${jitterMs} ms of jitter: ${JSON.stringify([...seconds])}`)
    }
  })

test('an hour of a word a minute from a slow clock is not taken for lateness, nor is speech after it', () => {
  const slow = 1 + 100 / 1e6
  for (const jitterMs of [0, 30]) {
    const seconds = heldBack((n) => (n < 180_000 && n % 3000 > 10 ? null : { at: n * 20 * slow, media: n * 20 }), HOUR + MINUTE, jitterMs)
    assert.ok(mostFrom(seconds, 0) <= 40, JSON.stringify([...seconds]))
  }
})

test('a clock that runs apart adds nothing to what the jitter asks for', () => {
  for (const jitterMs of [0, 30, 90]) {
    const exact = mostFrom(
      heldBack((n) => ({ at: n * 20, media: n * 20 }), HOUR, jitterMs),
      30,
    )
    for (const ppm of [100, -100]) {
      const seconds = heldBack((n) => ({ at: n * 20 * (1 + ppm / 1e6), media: n * 20 }), HOUR, jitterMs)
      assert.ok(mostFrom(seconds, 30) <= exact, `${ppm} ppm, ${jitterMs} ms of jitter: ${mostFrom(seconds, 30)}, not ${exact}`)
    }
    const far = heldBack((n) => ({ at: n * 20 * (1 + 2000 / 1e6), media: n * 20 }), HOUR, jitterMs)
    assert.ok(mostFrom(far, 30) <= exact + 20, `2000 ppm, ${jitterMs} ms of jitter: ${mostFrom(far, 30)}`)
  }
})
