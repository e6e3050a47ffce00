import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { systemClock } from '#base/clock.ts'

const day = 24 * 3_600_000

test('a task of the next quarter runs then, and not at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const ran: string[] = []
    systemClock.after(90 * day, () => void ran.push('kept'))
    const given = systemClock.after(60 * day, () => void ran.push('given up'))
    for (let i = 0; i < 89; i++) mock.timers.tick(day)
    given[Symbol.dispose]()
    assert.deepEqual(ran, ['given up'])
    // What a task starts, these timers count from the end of the day.
    for (let i = 0; i < 5; i++) mock.timers.tick(day)
    assert.deepEqual(ran, ['given up', 'kept'])
    const never = systemClock.after(60 * day, () => void ran.push('never'))
    for (let i = 0; i < 40; i++) mock.timers.tick(day)
    never[Symbol.dispose]()
    for (let i = 0; i < 40; i++) mock.timers.tick(day)
    assert.deepEqual(ran, ['given up', 'kept'])
  } finally {
    mock.timers.reset()
  }
})
