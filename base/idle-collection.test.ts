import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { collectWhenIdle } from '#base/idle-collection.ts'

const MB = 1_000_000

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
  clock.advance(90_000)
  assert.deepEqual(collected, [], 'somebody calls')
  calls = 0
  asked += 750
  clock.advance(15_000)
  assert.deepEqual(collected, [], 'phones register')
  asked += 500
  clock.advance(30_000)
  assert.deepEqual(collected, [135_000], 'a thousand phones refresh what they registered')
  clock.advance(600_000 - 15_000)
  assert.equal(collected.length, 1)
  clock.advance(15_000)
  assert.deepEqual(collected, [135_000, 735_000])
  asked += 20_000
  clock.advance(60_000)
  assert.deepEqual(collected.slice(2), [795_000], 'a busy time is over')
  clock.advance(600_000 - 15_000)
  assert.equal(collected.length, 3)
  collecting[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})

test('while there are calls, collects when a flood has passed that has left the process much bigger, and not for what is needed', () => {
  const clock = new VirtualClock(0)
  const collected: number[] = []
  let [asked, resident, needed] = [0, 170 * MB, 165 * MB]
  using _ = collectWhenIdle({
    clock,
    calls: () => 50,
    asked: () => asked,
    resident: () => resident,
    collect: () => {
      collected.push(clock.now())
      resident = needed
    },
  })
  clock.advance(60_000)
  resident = 185 * MB
  clock.advance(60_000)
  assert.deepEqual(collected, [], 'a little bigger')
  resident = 300 * MB
  asked += 100_000
  clock.advance(30_000)
  assert.deepEqual(collected, [], 'it is calm since one look')
  clock.advance(15_000)
  assert.deepEqual(collected, [165_000])
  needed = resident = 400 * MB
  clock.advance(45_000)
  assert.equal(collected.length, 1, 'not so soon again')
  clock.advance(15_000)
  assert.deepEqual(collected, [165_000, 225_000])
  resident = 450 * MB
  clock.advance(585_000)
  assert.equal(collected.length, 2, 'it is not so much bigger that it could not wait')
  clock.advance(15_000)
  assert.deepEqual(collected, [165_000, 225_000, 825_000])
  clock.advance(3_600_000)
  assert.equal(collected.length, 3, 'all of it is needed')
})

test('what was collected while there were calls is collected again when they have ended', () => {
  const clock = new VirtualClock(0)
  const collected: number[] = []
  let [calls, asked, resident] = [0, 0, 170 * MB]
  using _ = collectWhenIdle({
    clock,
    calls: () => calls,
    asked: () => asked,
    resident: () => resident,
    collect: () => void collected.push(clock.now()),
  })
  clock.advance(30_000)
  assert.deepEqual(collected, [30_000])
  calls = 50
  resident = 195 * MB
  asked += 100_000
  clock.advance(60_000)
  assert.equal(collected.length, 1, 'so little more can wait')
  resident = 196 * MB
  clock.advance(15_000)
  assert.deepEqual(collected.slice(1), [105_000])
  calls = 0
  clock.advance(60_000)
  assert.deepEqual(collected.slice(2), [165_000])
  clock.advance(585_000)
  assert.equal(collected.length, 3)
})

test('a process whose stop would be heard collects nothing while there are calls', () => {
  const clock = new VirtualClock(0)
  using _ = collectWhenIdle({ clock, calls: () => 1, asked: () => 0, collect: () => assert.fail('stopped') })
  clock.advance(3_600_000)
})

test('a stop that somebody could hear is not made again while there are calls', () => {
  const inner = new VirtualClock(0)
  let [calls, resident, stoppedMs] = [50, 170 * MB, 0]
  const clock = { ...inner, now: () => inner.now() + stoppedMs, wall: () => inner.wall(), after: inner.after.bind(inner) }
  let stops = 0
  using _ = collectWhenIdle({
    clock,
    calls: () => calls,
    asked: () => 0,
    resident: () => resident,
    collect: () => {
      stops++
      stoppedMs += 301
      resident = 170 * MB
    },
  })
  resident = 400 * MB
  inner.advance(60_000)
  assert.equal(stops, 1)
  resident = 400 * MB
  inner.advance(3_600_000)
  assert.equal(stops, 1)
  calls = 0
  inner.advance(60_000)
  assert.equal(stops, 2)
})
