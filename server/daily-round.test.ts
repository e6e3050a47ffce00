import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { dailyRound } from '#server/daily-round.ts'

const hour = 3_600_000

test('chores are done ten minutes after the start and then once a day, in order, until disposed of', async () => {
  const clock = new VirtualClock()
  const done: string[] = []
  const chore = (name: string) => ({ name, work: async () => void done.push(name) })
  const round = dailyRound(clock, silentLog, [chore('keys'), chore('jobs')])
  await clock.advanceAsync(599_999)
  assert.deepEqual(done, [])
  await clock.advanceAsync(1)
  assert.deepEqual(done, ['keys', 'jobs'])
  await clock.advanceAsync(24 * hour)
  assert.equal(done.length, 4)
  round[Symbol.dispose]()
  await clock.advanceAsync(48 * hour)
  assert.equal(done.length, 4)
  assert.equal(clock.pending, 0)
})

test('a chore that fails is logged, keeps no other from being done, and is tried again the next day', async () => {
  const clock = new VirtualClock()
  const warned: unknown[] = []
  let tries = 0
  const failing = {
    name: 'keys',
    work: async () => {
      tries++
      throw new Error('the database is away')
    },
  }
  let others = 0
  using _round = dailyRound(clock, { ...silentLog, warn: (_, fields) => void warned.push(fields) }, [
    failing,
    { name: 'jobs', work: async () => void others++ },
  ])
  await clock.advanceAsync(10 * 60_000)
  assert.deepEqual([tries, others], [1, 1])
  assert.deepEqual(warned, [{ name: 'keys', why: 'the database is away' }])
  await clock.advanceAsync(24 * hour)
  assert.deepEqual([tries, others], [2, 2])
})
