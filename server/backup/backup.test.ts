import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { systemClock } from '#base/clock.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { silentLog } from '#base/log.ts'
import { backup, BadArchiveError, NotEmptyError, rehearseRestore, restore, WrongPassphraseError } from '#server/backup/index.ts'
import { backedUp } from '#server/backup/manifest.ts'
import { openConfigStore, secretKey } from '#server/config-store/index.ts'
import { FolderInUseError, openJournal } from '#server/journal/index.ts'
import type { Store } from '#server/store/index.ts'
import { testStore, type TestStore } from '#server/store/testing.ts'

const clock = new VirtualClock(Date.parse('2026-03-02T10:00:00Z'))

/** A system with something in every table, a password in the configuration and two files. */
async function fullSystem(box: TestStore, folder: string): Promise<void> {
  await using config = await openConfigStore({
    store: box.store,
    clock,
    log: silentLog,
    key: await secretKey(join(folder, 'secret.key')),
    folder: join(folder, 'configuration'),
  })
  await config.save('alfa', { expected: 0, author: 'a', comment: 'c', documents: [{ kind: 'device', id: '100', password: 'hunter2' }] })
  await box.store.acrossTenants('test', async (db) => {
    const at = new Date('2026-03-01T01:02:03.004Z')
    await sql`insert into fact select 'alfa', 'c' || n, 1, ${at}, 'call.started', jsonb_build_object('text', E'quote " and \\\\ and \\n end') from generate_series(1, 5000) n`.execute(
      db,
    )
    await sql`insert into call select 'alfa', 'c1', ${at}, null, null, 'inbound', '1', 'Ань"я', '2', null, null, 1, 2, 'answered', 'us', null, null, null, false, array['r1','r2'], '[]', array['x'], 1, null, false, ''`.execute(
      db,
    )
    await sql`insert into recording values ('alfa', 'r1', 'c1', ${at}, 1, 5000000000, '2026/03/01/r1.ogg', '[]', '[]')`.execute(db)
    await sql`insert into job (tenant, kind, key, payload, run_at, created_at) values ('alfa', 'k', 'k', '{}', ${at}, ${at})`.execute(db)
    await sql`insert into api_key (tenant, name, prefix, hash, role, created_at) values (null, 'ops', 'p', 'h', 'operator', ${at})`.execute(
      db,
    )
  })
  const day = join(folder, 'recordings', 'alfa', '2026', '03', '01')
  await mkdir(day, { recursive: true })
  await writeFile(join(day, 'r1.ogg'), Buffer.alloc(70_001, 9))
  await writeFile(join(day, `${'long'.repeat(20)}.ogg`), '')
}

async function everything(store: Store): Promise<Record<string, string[]>> {
  return store.acrossTenants('test', async (db) => {
    const found: Record<string, string[]> = {}
    for (const table of backedUp) {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t order by 1`.execute(db)
      found[table] = rows.map(({ row }) => row)
    }
    return found
  })
}

async function rig() {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-backup-'))
  const from = await testStore(['alfa', 'beta'])
  await fullSystem(from, join(folder, 'from'))
  const to = await testStore()
  const file = join(folder, 'backup.tar.gz')
  const make = (passphrase?: string) =>
    backup({
      store: from.store,
      clock,
      dataFolder: join(folder, 'from'),
      file,
      folders: ['recordings', 'prompts'],
      ...(passphrase === undefined ? {} : { passphrase }),
    })
  const load = (options: { force?: boolean; passphrase?: string; file?: string } = {}) =>
    restore({ store: to.store, clock, dataFolder: join(folder, 'to'), file, force: false, ...options })
  const dispose = async () => {
    await from[Symbol.asyncDispose]()
    await to[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { folder, from, to, file, make, load, [Symbol.asyncDispose]: dispose }
}

describe('backup and restore', () => {
  test('bring every row, the passwords and the files to another system', async () => {
    await using r = await rig()
    const made = await r.make()
    assert.match(made.warning ?? '', /every password/)
    const { stdout } = await promisify(execFile)('tar', ['tzf', r.file])
    assert.match(stdout, /^manifest.json\n[\s\S]*recordings\/alfa\/2026\/03\/01\/r1.ogg\n[\s\S]*checksums.json\n$/)
    const loaded = await r.load()
    assert.equal(loaded.rows, made.rows)
    assert.equal(loaded.files, 2)
    const rows = await everything(r.from.store)
    assert.ok(Object.values(rows).every((found) => found.length > 0))
    assert.deepEqual(await everything(r.to.store), rows)
    const audio = join('recordings', 'alfa', '2026', '03', '01', 'r1.ogg')
    assert.deepEqual(await readFile(join(r.folder, 'to', audio)), await readFile(join(r.folder, 'from', audio)))
    const data = join(r.folder, 'to')
    await using config = await openConfigStore({
      store: r.to.store,
      clock,
      log: silentLog,
      key: await secretKey(join(data, 'secret.key')),
      folder: join(data, 'configuration'),
    })
    const reference = config.current('alfa')?.documents[0]?.['password'] as { secret: string }
    assert.equal(config.reveal('alfa', reference), 'hunter2')
  })

  test('refuse to overwrite without being told to, and then put aside what was there', async () => {
    await using r = await rig()
    await r.make()
    await r.load()
    await assert.rejects(r.load(), NotEmptyError)
    const again = await r.load({ force: true })
    assert.ok(again.putAside.some((path) => path.includes('recordings.before-2026-03-02')))
    assert.deepEqual(await everything(r.to.store), await everything(r.from.store))
  })

  test('with a passphrase keep the key locked', async () => {
    await using r = await rig()
    assert.equal((await r.make('correct horse')).warning, null)
    await assert.rejects(r.load(), WrongPassphraseError)
    await assert.rejects(r.load({ passphrase: 'wrong' }), WrongPassphraseError)
    await r.load({ passphrase: 'correct horse' })
    assert.equal(await readFile(join(r.folder, 'to', 'secret.key'), 'utf8'), await readFile(join(r.folder, 'from', 'secret.key'), 'utf8'))
  })

  test('write nothing at all from a damaged, cut or foreign archive', async () => {
    await using r = await rig()
    await r.make()
    const whole = await readFile(r.file)
    const broken = join(r.folder, 'broken.tar.gz')
    const flipped = Buffer.from(whole)
    flipped[whole.length >> 1] = (flipped[whole.length >> 1] ?? 0) ^ 0x55
    for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), whole.subarray(0, whole.length - 100), whole.subarray(0, 1_000), flipped]) {
      await writeFile(broken, bytes)
      await assert.rejects(r.load({ file: broken }), BadArchiveError)
    }
    assert.ok(Object.values(await everything(r.to.store)).every((rows) => rows.length === 0))
    assert.deepEqual(
      (await readdir(join(r.folder, 'to'))).filter((name) => name !== 'journal'),
      [],
    )
  })

  test('do not touch a system that is running', async () => {
    await using r = await rig()
    await r.make()
    const journal = await openJournal({ folder: join(r.folder, 'to', 'journal'), clock, log: silentLog })
    await assert.rejects(r.load(), FolderInUseError)
    await journal.close()
  })
})

test('a rehearsal counts what comes back and names what would be missing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-backup-'))
  await using box = await testStore(['alfa'])
  await fullSystem(box, folder)
  const file = join(folder, 'b.tar.gz')
  const made = { store: box.store, clock, dataFolder: folder, file, passphrase: 'correct horse' }
  await backup({ ...made, folders: ['recordings'] })
  const report = await rehearseRestore({ file, clock: systemClock, passphrase: 'correct horse' })
  assert.deepEqual([report.companies, report.secrets, report.rows['fact'], report.rows['recording'], report.files], [1, 1, 5_000, 1, 2])
  assert.deepEqual(report.problems, [])
  await backup({ ...made, folders: [] })
  const poorer = await rehearseRestore({ file, clock: systemClock, passphrase: 'correct horse' })
  assert.deepEqual(poorer.problems, ['the file of recording r1 of alfa is not in the backup'])
  await box.store.forTenant('alfa', (db) =>
    db
      .updateTable('recording')
      .set({ expired_at: new Date(0) })
      .execute(),
  )
  await backup({ ...made, folders: [] })
  const expired = await rehearseRestore({ file, clock: systemClock, passphrase: 'correct horse' })
  assert.deepEqual(expired.problems, [], 'what was deleted in its time is not missing')
  await assert.rejects(rehearseRestore({ file, clock: systemClock, passphrase: 'wrong' }), WrongPassphraseError)
  await rm(folder, { recursive: true })
})
