import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { collectWhenIdle } from '#base/idle-collection.ts'

test('collects once nobody has called and few have spoken for two looks, and ten minutes later again', () => {
  const clock = new VirtualClock(0)
  const collected: number[] = []
  let [calls, asked] = [1, 0]
  const collecting = collectWhenIdle({
    clock,
    calls: () => calls,
    asked: () => asked,
    collect: () => void collected.push(clock.now()),
  })
  clock.advance(100_000)
  assert.deepEqual(collected, [], 'somebody calls')
  calls = 0
  asked += 1_000
  clock.advance(20_000)
  assert.deepEqual(collected, [], 'phones register')
  asked += 700
  clock.advance(40_000)
  assert.deepEqual(collected, [160_000], 'a thousand phones refresh what they registered')
  clock.advance(600_000 - 20_000)
  assert.equal(collected.length, 1)
  clock.advance(20_000)
  assert.deepEqual(collected, [160_000, 760_000])
  collecting[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})
