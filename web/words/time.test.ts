import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset, timer, timesOf } from '#web/words/time.ts'

test('a timer counts minutes and seconds, and hours when there are any', () => {
  assert.deepEqual([0, 7_900, 754_000, 3_723_000, -50].map(timer), ['0:00', '0:07', '12:34', '1:02:03', '0:00'])
})

test('an offset is exact to a hundredth of a second', () => {
  assert.deepEqual([0, 42, 12_300, 62_504].map(offset), ['+0.00', '+0.04', '+12.30', '+1:02.50'])
})

test('the time of day is that of the company, not of the reader', () => {
  const at = Date.UTC(2026, 10, 22, 18, 5)
  assert.equal(timesOf('en-GB', 'Europe/Moscow').clock(at), '21:05')
  assert.equal(timesOf('en-GB', 'No/Such').clock(at), '18:05')
})

test('how long ago is said in the largest unit that fits', () => {
  const { ago } = timesOf('en', 'UTC')
  assert.deepEqual(
    [1, 9, 200, 7_300].map((seconds) => ago(0, seconds * 1_000)),
    ['now', '9 sec. ago', '3 min. ago', '2 hr. ago'],
  )
})
