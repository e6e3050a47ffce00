import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TimerWheel, type WheelTimer } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'

test('a timer fires once, on the granule at or after its time', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: number[] = []
  wheel.after(500, () => fired.push(clock.now()))
  wheel.after(503, () => fired.push(clock.now()))
  wheel.after(0, () => fired.push(clock.now()))
  clock.advance(60_000)
  assert.deepEqual(fired, [10, 500, 510])
  assert.equal(wheel.size, 0)
  assert.equal(clock.pending, 0)
})

test('timers of one granule fire in the order in which they were started, from whichever level they came', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: string[] = []
  wheel.after(32_000, () => fired.push('started at 0 s'))
  clock.advance(31_000)
  wheel.after(1_000, () => fired.push('started at 31 s'))
  clock.advance(990)
  wheel.after(10, () => fired.push('started at 31.99 s'))
  clock.advance(10)
  assert.deepEqual(fired, ['started at 0 s', 'started at 31 s', 'started at 31.99 s'])
})

test('a stopped timer does not fire, also when a timer of the same instant stops it', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: string[] = []
  wheel.after(100, () => {
    fired.push('first')
    second.stop()
  })
  const second = wheel.after(100, () => fired.push('second'))
  clock.advance(1_000)
  assert.deepEqual(fired, ['first'])
  assert.equal(wheel.size, 0)
})

test('its clock tells the same time and sets its timers', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const timed = wheel.asClock()
  const fired: number[] = []
  timed.after(1_003, () => fired.push(timed.now()))
  const stopped = timed.after(5, () => fired.push(0))
  assert.equal(wheel.size, 2)
  stopped[Symbol.dispose]()
  clock.advance(2_000)
  assert.deepEqual(fired, [1_010])
  assert.deepEqual([timed.now(), timed.wall()], [clock.now(), clock.wall()])
})

test('a timer may start itself again while it fires', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: number[] = []
  const timer = wheel.timer(() => {
    fired.push(clock.now())
    if (fired.length < 3) timer.start(0)
  })
  timer.start(20)
  clock.advance(100)
  assert.deepEqual(fired, [20, 30, 40])
})

test('a thousand timers arm the clock once', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const timers = Array.from({ length: 1_000 }, (_, i) => wheel.after(500 + i * 37, () => undefined))
  assert.equal(clock.pending, 1)
  for (const timer of timers) timer.stop()
  assert.equal(clock.pending, 0)
})

test('a task that throws does not stop the others', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: string[] = []
  wheel.after(10, () => {
    throw new Error('a bug elsewhere')
  })
  wheel.after(10, () => fired.push('same granule'))
  wheel.after(20, () => fired.push('next granule'))
  assert.throws(() => clock.advance(15), /a bug elsewhere/)
  clock.advance(100)
  assert.deepEqual(fired, ['same granule', 'next granule'])
})

test('lateness is how long the clock kept the wheel waiting, and is forgotten after a second', () => {
  let now = 0
  let wake: () => void = () => undefined
  const wheel = new TimerWheel({
    now: () => now,
    wall: () => now,
    after: (_ms, task) => {
      wake = task
      return { [Symbol.dispose]: () => undefined }
    },
  })
  wheel.after(100, () => undefined)
  now = 410
  wake()
  assert.equal(wheel.latenessMs, 300)
  now = 2_000
  assert.equal(wheel.latenessMs, 0)
})

test('a timer of no time at all fires with the next granule, also on the edge of one and beside others', () => {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const fired: [string, number][] = []
  wheel.after(40, () => fired.push(['earlier', clock.now()]))
  clock.advance(30)
  wheel.after(0, () => fired.push(['at once', clock.now()]))
  clock.advance(20)
  assert.deepEqual(fired, [
    ['earlier', 40],
    ['at once', 40],
  ])
})

test('random starts, stops and waits fire as a sorted list would', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('start' as const), ms: fc.oneof(fc.nat(700), fc.nat(50_000), fc.nat(100_000_000)) }),
    fc.record({ kind: fc.constant('stop' as const), index: fc.nat(50) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.oneof(fc.nat(30), fc.nat(5_000), fc.nat(3_000_000)) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.nat(1_000_000_000), (actions, origin) => {
      const clock = new VirtualClock()
      clock.advance(origin)
      const wheel = new TimerWheel(clock)
      const fired: { index: number; at: number }[] = []
      const expected: { index: number; at: number }[] = []
      const timers: WheelTimer[] = []
      let latest = 0
      for (const act of actions) {
        if (act.kind === 'wait') clock.advance(act.ms)
        if (act.kind === 'start') {
          const index = timers.length
          const now = clock.now()
          timers.push(wheel.after(act.ms, () => fired.push({ index, at: clock.now() })))
          expected.push({ index, at: Math.max(Math.ceil((now + act.ms) / 10), Math.floor(now / 10) + 1) * 10 })
          latest = Math.max(latest, act.ms)
        }
        if (act.kind === 'stop') {
          const timer = timers[act.index]
          if (timer?.running)
            expected.splice(
              expected.findIndex((e) => e.index === act.index),
              1,
            )
          timer?.stop()
        }
      }
      clock.advance(latest + 20)
      expected.sort((a, b) => a.at - b.at || a.index - b.index)
      assert.deepEqual(fired, expected)
      assert.equal(wheel.size, 0)
      assert.equal(clock.pending, 0)
    }),
  )
})
