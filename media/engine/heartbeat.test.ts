import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Heartbeat } from '#media/engine/heartbeat.ts'

test('beats come once per interval and do not drift when each takes its time', () => {
  const clock = new VirtualClock()
  const beats: number[] = []
  const heartbeat = new Heartbeat(clock, 20, (now) => beats.push(now) < 5)
  heartbeat.start()
  heartbeat.start()
  clock.advance(1000)
  assert.deepEqual(beats, [20, 40, 60, 80, 100])
  assert.equal(clock.pending, 0, 'it has stopped by itself')
})

test('who is woken within a beat does not move the next', () => {
  let now = 0
  let task: () => void = () => undefined
  const waits: number[] = []
  const clock = {
    now: () => now,
    wall: () => now,
    after: (ms: number, next: () => void) => {
      waits.push(ms)
      task = next
      return { [Symbol.dispose]: () => undefined }
    },
  }
  const heartbeat = new Heartbeat(clock, 20, () => {
    heartbeat.start()
    return true
  })
  heartbeat.start()
  now = 29
  task()
  assert.deepEqual(waits, [20, 11])
})

test('missed beats are caught up, a long sleep is not', () => {
  let now = 0
  let task: () => void = () => undefined
  const clock = {
    now: () => now,
    wall: () => now,
    after: (_ms: number, next: () => void) => {
      task = next
      return { [Symbol.dispose]: () => undefined }
    },
  }
  const beats: number[] = []
  const heartbeat = new Heartbeat(clock, 20, (dueAt) => beats.push(dueAt) > 0)
  heartbeat.start()
  now = 65
  task()
  assert.deepEqual(beats, [20, 40, 60], 'each is told when it was due')
  now = 79.5
  task()
  assert.deepEqual(beats, [20, 40, 60, 79.5], 'none is told what is yet to come')
  now = 10_000
  task()
  assert.deepEqual(beats, [20, 40, 60, 79.5, 10_000])
  assert.ok(heartbeat.missed > 400)
})
