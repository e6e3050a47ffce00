import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { CallRate } from '#server/dialplan/call-rate.ts'

test('a company alone may use all there is', () => {
  const clock = new VirtualClock(0)
  const rate = new CallRate(clock, 100)
  let taken = 0
  for (let ms = 0; ms < 10_000; ms++) {
    if (rate.takes('a')) taken++
    clock.advance(1)
  }
  assert.ok(taken >= 1_000 && taken <= 1_100, String(taken))
})

test('ten times too many calls for one company take nothing from another, and what is over is used', () => {
  const clock = new VirtualClock(0)
  const rate = new CallRate(clock, 100)
  let [flooded, asked, quiet] = [0, 0, 0]
  for (let ms = 0; ms < 20_000; ms++) {
    if (rate.takes('flooded')) flooded++
    if (ms % 25 === 0) {
      asked++
      if (rate.takes('quiet')) quiet++
    }
    clock.advance(1)
  }
  assert.equal(quiet, asked)
  assert.ok(flooded + quiet >= 1_900, `${flooded} and ${quiet}`)
})

test('a company that has fallen silent leaves its share', () => {
  const clock = new VirtualClock(0)
  const rate = new CallRate(clock, 100)
  rate.takes('gone')
  clock.advance(20_000)
  let taken = 0
  for (let ms = 0; ms < 1_000; ms++) {
    if (rate.takes('a')) taken++
    clock.advance(1)
  }
  assert.ok(taken >= 190)
})
