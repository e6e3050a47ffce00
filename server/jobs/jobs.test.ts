import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Clock } from '#base/clock.ts'
import { systemClock } from '#base/clock.ts'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { openJobs, type JobHandler, type JobsSettings } from '#server/jobs/index.ts'
import { testStore, type TestStore } from '#server/store/testing.ts'

/** Real timers, and a wall clock that the test moves. */
function movable(): Clock & { forward(ms: number): void } {
  let moved = 0
  return {
    now: () => systemClock.now(),
    wall: () => 1e12 + moved,
    after: (ms, task) => systemClock.after(ms, task),
    forward: (ms) => void (moved += ms),
  }
}

async function rig(handler: JobHandler, more: Partial<JobsSettings> = {}) {
  const box: TestStore = await testStore(['alfa'])
  const clock = movable()
  const settings = {
    store: box.store,
    clock,
    random: countingRandom(),
    log: silentLog,
    handlers: new Map([['work', handler]]),
    roundMs: 5,
    ...more,
  }
  const jobs = openJobs(settings)
  const add = (key: string) =>
    box.store.forTenant('alfa', (db) => jobs.enqueue(db, { tenant: 'alfa', kind: 'work', key, payload: { key } }))
  const rows = () => box.store.forTenant('alfa', (db) => db.selectFrom('job').selectAll().orderBy('key').execute())
  const until = async (isSo: (row: Awaited<ReturnType<typeof rows>>[number]) => boolean) => {
    for (;;) {
      const [row] = await rows()
      if (row !== undefined && isSo(row)) return row
    }
  }
  const dispose = async () => {
    await jobs.close()
    await box[Symbol.asyncDispose]()
  }
  return { clock, jobs, add, rows, until, settings, [Symbol.asyncDispose]: dispose }
}

describe('jobs', () => {
  test('are done once each, however often they are queued and however many workers there are', async () => {
    const done: string[] = []
    const all = Promise.withResolvers<void>()
    const handler: JobHandler = async ({ payload }) => {
      done.push(JSON.stringify(payload))
      if (done.length === 20) all.resolve()
      return { kind: 'done' }
    }
    await using r = await rig(handler)
    const second = openJobs(r.settings)
    for (let i = 0; i < 40; i++) await r.add(`k${i % 20}`)
    r.jobs.poke()
    await all.promise
    await second.close()
    await r.jobs.close()
    assert.equal(new Set(done).size, 20)
    assert.equal(done.length, 20)
    assert.ok((await r.rows()).every((row) => row.state === 'done'))
  })

  test('that fail are tried again after growing pauses, and give up visibly', async () => {
    const attempts: number[] = []
    const handler: JobHandler = async ({ attempt }) => {
      attempts.push(attempt)
      throw new Error(`no ${attempt}`)
    }
    const dead = Promise.withResolvers<string>()
    await using r = await rig(handler, { attempts: 3, onDead: (_tenant, _kind, why) => dead.resolve(why) })
    await r.add('k')
    for (const [i, pause] of [5_000, 10_000].entries()) {
      const row = await r.until((candidate) => candidate.attempts === i + 1 && candidate.leased_until === null)
      const wait = row.run_at.getTime() - r.clock.wall()
      assert.ok(wait >= pause / 2 && wait <= pause, `${wait} after a pause of ${pause}`)
      r.clock.forward(pause)
    }
    assert.equal(await dead.promise, 'no 3')
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual(
      (await r.jobs.dead('alfa')).map((job) => [job.key, job.attempts, job.lastError]),
      [['k', 3, 'no 3']],
    )
  })

  test('that wait for something use up no tries', async () => {
    let asked = 0
    const done = Promise.withResolvers<void>()
    const handler: JobHandler = async ({ attempt }) => {
      assert.equal(attempt, 1)
      if (++asked < 4) return { kind: 'later', ms: 0 }
      done.resolve()
      return { kind: 'done' }
    }
    await using r = await rig(handler, { attempts: 2 })
    await r.add('k')
    r.jobs.poke()
    await done.promise
  })

  test('of a worker that died are taken over when its lease has run out', async () => {
    const started = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const again = Promise.withResolvers<void>()
    let runs = 0
    const handler: JobHandler = async () => {
      if (++runs === 2) again.resolve()
      started.resolve()
      if (runs === 1) await release.promise
      return { kind: 'done' }
    }
    await using r = await rig(handler, { atOnce: 1 })
    await r.add('k')
    await started.promise
    const heir = openJobs(r.settings)
    r.clock.forward(5 * 60_000 + 1)
    await again.promise
    await heir.close()
    release.resolve()
    assert.equal(runs, 2)
  })
})
