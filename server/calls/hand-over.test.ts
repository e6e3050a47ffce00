import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Call } from '#calls/call.ts'
import { quietMoment } from '#server/calls/hand-over.ts'

function callWith(...states: string[]): Call {
  return { legs: states.map((state) => ({ state })) } as unknown as Call
}

test('a hand-over waits until nobody is being connected', async () => {
  const clock = new VirtualClock()
  let calls = [callWith('talking', 'talking'), callWith('ringing')]
  const quiet = quietMoment(clock, () => calls, 20_000)
  let left: number | null = null
  void quiet.then((count) => (left = count))
  for (let n = 0; n < 40; n++) {
    clock.advance(50)
    await Promise.resolve()
  }
  assert.equal(left, null)
  calls = [callWith('talking', 'ringing'), callWith('talking')]
  clock.advance(50)
  assert.equal(await quiet, 0)
})

test('a hand-over waits no longer than its limit, and says how many calls it cannot keep', async () => {
  const clock = new VirtualClock()
  const quiet = quietMoment(clock, () => [callWith('ringing'), callWith('talking'), callWith()], 200)
  for (let n = 0; n < 6; n++) {
    clock.advance(50)
    await Promise.resolve()
  }
  assert.equal(await quiet, 2)
})
