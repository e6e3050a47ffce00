import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { expireRecordings, mailRecording } from '#server/recordings/index.ts'
import { testStore } from '#server/store/testing.ts'

const dayMs = 24 * 3_600_000
const made = Date.UTC(2026, 2, 2, 9)

/** A system 31 days after its recordings were made. */
async function rig() {
  const box = await testStore(['alfa', 'beta'])
  const { store } = box
  const folder = await mkdtemp(join(tmpdir(), 'centrala-expire-'))
  const root = join(folder, 'recordings')
  const clock = new VirtualClock(made + 31 * dayMs)
  const told: unknown[] = []
  const log = {
    ...silentLog,
    info: (_: string, about?: object) => void told.push(about),
    warn: (_: string, about?: object) => void told.push(about),
  }
  /** A row, with its files unless `path` leads elsewhere. */
  const record = async (
    id: string,
    keepDays: number | null,
    more: { tenant?: string; path?: string; mail?: 'waiting' | 'done' | 'dead' } = {},
  ): Promise<string> => {
    const { tenant = 'alfa', path = `2026/03/02/${id}.ogg`, mail = 'done' } = more
    const file = join(root, tenant, path)
    await mkdir(dirname(file), { recursive: true })
    for (const each of [file, `${file}.json`]) await writeFile(each, 'x')
    const at = new Date(made)
    const keep_until = keepDays === null ? null : new Date(made + keepDays * dayMs)
    await store.forTenant(tenant, async (db) => {
      const row = { tenant, id, call: `c-${id}`, started_at: at, ms: 1, bytes: 1, path, turns: '[]', gaps: '[]', keep_until }
      await db.insertInto('recording').values(row).execute()
      const job = { tenant, kind: mailRecording, key: id, payload: '{}', state: mail, attempts: 0, run_at: at, created_at: at }
      await db.insertInto('job').values(job).execute()
    })
    return file
  }
  const expired = async (tenant: string): Promise<string[]> => {
    const rows = await store.forTenant(tenant, (db) =>
      db.selectFrom('recording').select('id').where('tenant', '=', tenant).where('expired_at', 'is not', null).orderBy('id').execute(),
    )
    return rows.map(({ id }) => id)
  }
  const expire = (): Promise<void> => expireRecordings({ store, clock, log, root })
  const dispose = async (): Promise<void> => {
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { store, clock, folder, told, record, expired, expire, [Symbol.asyncDispose]: dispose }
}

test('recordings are deleted after their days, of each company its own, and the row says when', async () => {
  await using r = await rig()
  const old = await r.record('old', 30)
  const edge = await r.record('edge', 31)
  const young = await r.record('young', 32)
  const kept = await r.record('kept', null)
  const theirs = await r.record('theirs', 7, { tenant: 'beta' })
  await r.expire()
  assert.deepEqual(
    [old, `${old}.json`, edge, theirs, young, `${young}.json`, kept].map((file) => existsSync(file)),
    [false, false, false, false, true, true, true],
  )
  assert.deepEqual([await r.expired('alfa'), await r.expired('beta')], [['edge', 'old'], ['theirs']])
  assert.deepEqual(
    r.told.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    [
      { tenant: 'alfa', deleted: 2, missing: 0, failed: 0 },
      { tenant: 'beta', deleted: 1, missing: 0, failed: 0 },
    ],
  )
  await r.expire()
  assert.equal(r.told.length, 2, 'the next day there is nothing to tell')
})

test('one that waits to be mailed is kept until it is sent or given up', async () => {
  await using r = await rig()
  const file = await r.record('waits', 1, { mail: 'waiting' })
  const given = await r.record('given-up', 1, { mail: 'dead' })
  await r.expire()
  assert.deepEqual([existsSync(file), existsSync(given)], [true, false])
  await r.store.forTenant('alfa', (db) => db.updateTable('job').set({ state: 'done' }).where('key', '=', 'waits').execute())
  await r.expire()
  assert.equal(existsSync(file), false)
})

test('a file that is gone already, as after a stop in the middle, makes no trouble', async () => {
  await using r = await rig()
  await rm(await r.record('half', 1))
  const file = await r.record('whole', 1)
  await rm(file)
  await rm(`${file}.json`)
  await r.expire()
  assert.deepEqual(await r.expired('alfa'), ['half', 'whole'])
  assert.deepEqual(r.told, [{ tenant: 'alfa', deleted: 0, missing: 2, failed: 0 }])
})

test('a path that leads out of the company’s folder, and a file that cannot be deleted, are left and told; the others go', async () => {
  await using r = await rig()
  const others = await r.record('a-others', 1, { path: '../beta/2026/03/02/x.ogg' })
  const outside = join(r.folder, 'outside.ogg')
  await r.record('b-outside', 1, { path: '../../outside.ogg' })
  const folder = await r.record('c-folder', 1)
  await rm(folder)
  await mkdir(folder)
  const good = await r.record('d-good', 1)
  await r.expire()
  assert.deepEqual(
    [others, outside, folder, good].map((file) => existsSync(file)),
    [true, true, true, false],
  )
  assert.deepEqual(await r.expired('alfa'), ['d-good'])
  assert.deepEqual(r.told, [{ tenant: 'alfa', deleted: 1, missing: 0, failed: 3 }])
})

test('where nobody has called for two months nothing is deleted: the clock may be wrong, or the backup old', async () => {
  await using r = await rig()
  const file = await r.record('old', 30)
  r.clock.advance(365 * dayMs)
  await r.expire()
  assert.equal(existsSync(file), true)
  assert.deepEqual(r.told, [{ tenant: 'alfa', lastCall: '2026-03-02T09:00:00.000Z', now: '2027-04-02T09:00:00.000Z' }])
  const at = new Date(r.clock.wall() - dayMs)
  const row = { tenant: 'alfa', id: 'new', call: 'c-new', started_at: at, ms: 1, bytes: 1, path: 'x.ogg', turns: '[]', gaps: '[]' }
  await r.store.forTenant('alfa', (db) => db.insertInto('recording').values(row).execute())
  await r.expire()
  assert.equal(existsSync(file), false)
})

test('very many are deleted in one round', async () => {
  await using r = await rig()
  const files = []
  for (let n = 0; n < 405; n++) files.push(await r.record(`r${n}`, 1))
  await r.expire()
  assert.equal(
    files.some((file) => existsSync(file)),
    false,
  )
  assert.equal((await r.expired('alfa')).length, 405)
})
