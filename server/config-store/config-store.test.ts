import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import {
  BadKeyFileError,
  isReference,
  MASK,
  openConfigStore,
  secretKey,
  UnknownMaskError,
  type ConfigDocument,
} from '#server/config-store/index.ts'
import { seal, SealBrokenError, unseal } from '#server/config-store/seal.ts'
import { openStore, type Store } from '#server/store/index.ts'
import { testStore } from '#server/store/testing.ts'

const phone = (password: string): ConfigDocument => ({
  kind: 'device',
  id: '100',
  sip: { user: '100', password },
  lines: [{ id: 'a', pin: '1234' }],
})
const change = (expected: number, ...documents: ConfigDocument[]) => ({ expected, author: 'olga', comment: 'why', documents })

async function rig() {
  const box = await testStore(['alfa', 'beta'])
  const folder = await mkdtemp(join(tmpdir(), 'centrala-config-'))
  const key = await secretKey(join(folder, 'secret.key'))
  const open = (store: Store = box.store) =>
    openConfigStore({ store, clock: new VirtualClock(1_000), log: silentLog, key, folder: join(folder, 'config') })
  const dispose = async () => {
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { ...box, folder, key, open, [Symbol.asyncDispose]: dispose }
}

describe('versions of configuration', () => {
  test('follow one another; a saver who has not seen the current one is refused', async () => {
    await using r = await rig()
    await using config = await r.open()
    assert.equal(config.current('alfa'), null)
    const heard: number[] = []
    using _listening = config.subscribe((_tenant, version) => heard.push(version.version))
    assert.equal((await config.save('alfa', change(0, phone('a')))).kind, 'saved')
    assert.deepEqual(await config.save('alfa', change(0, phone('b'))), { kind: 'conflict', current: 1 })
    assert.deepEqual(await config.save('alfa', change(7, phone('b'))), { kind: 'conflict', current: 1 })
    const both = await Promise.all([config.save('alfa', change(1, phone('b'))), config.save('alfa', change(1, phone('c')))])
    assert.deepEqual(both.map((r) => r.kind).sort(), ['conflict', 'saved'])
    assert.deepEqual(heard, [1, 2])
    assert.deepEqual(
      (await config.history('alfa')).map((v) => v.version),
      [2, 1],
    )
    assert.equal(config.current('beta'), null)
    assert.equal(await config.at('beta', 1), null)
  })

  test('roll back by saving the old documents as a new version', async () => {
    await using r = await rig()
    await using config = await r.open()
    await config.save('alfa', change(0, phone('first')))
    await config.save('alfa', change(1, phone('second')))
    const back = await config.rollback('alfa', 1, { expected: 2, author: 'olga', comment: 'back' })
    assert.equal(back.kind, 'saved')
    assert.equal(config.current('alfa')?.version, 3)
    const documents = config.current('alfa')?.documents
    assert.equal(revealPassword(config, documents), 'first')
    assert.equal((await config.rollback('alfa', 99, { expected: 3, author: '', comment: '' })).kind, 'missing')
  })
})

test('what documents of any version name in a field is known, for each company by itself', async () => {
  await using r = await rig()
  await using config = await r.open()
  const prompt = (sha256: string): ConfigDocument => ({ kind: 'prompt', id: 'hello', sha256 })
  await config.save('alfa', change(0, phone('a'), prompt('one')))
  await config.save('alfa', change(1, phone('a'), prompt('two'), { ...prompt('one'), id: 'again' }))
  await config.save('beta', change(0, prompt('three')))
  assert.deepEqual([...(await config.everIn('alfa', 'sha256'))].toSorted(), ['one', 'two'])
  assert.deepEqual([...(await config.everIn('beta', 'sha256'))], ['three'])
  assert.deepEqual([...(await config.everIn('nobody', 'sha256'))], [])
})

function revealPassword(
  config: { reveal(tenant: string, reference: { secret: string }): string | null },
  documents: readonly ConfigDocument[] | undefined,
): string | null {
  const sip = documents?.[0]?.['sip'] as { password: unknown }
  return isReference(sip.password) ? config.reveal('alfa', sip.password) : null
}

describe('secrets', () => {
  test('never stand in documents, database rows or snapshots, and open again after a restart', async () => {
    await using r = await rig()
    {
      await using config = await r.open()
      await config.save('alfa', change(0, phone('hunter2')))
      assert.equal(revealPassword(config, config.current('alfa')?.documents), 'hunter2')
    }
    const rows = await r.store.acrossTenants('test', async (db) =>
      JSON.stringify([await db.selectFrom('config_version').selectAll().execute(), await db.selectFrom('secret').selectAll().execute()]),
    )
    assert.doesNotMatch(rows, /hunter2/)
    for (const name of await readdir(join(r.folder, 'config')))
      assert.doesNotMatch(await readFile(join(r.folder, 'config', name), 'utf8'), /hunter2/)
    await using config = await r.open()
    assert.equal(revealPassword(config, config.current('alfa')?.documents), 'hunter2')
    const [device] = config.current('alfa')?.documents ?? []
    assert.ok(device)
    const { password } = device['sip'] as { password: { secret: string } }
    assert.equal(config.reveal('beta', password), null)
  })

  test('are masked for showing, and a mask that comes back keeps what was there', async () => {
    await using r = await rig()
    await using config = await r.open()
    await config.save('alfa', change(0, phone('hunter2')))
    const first = config.current('alfa')
    assert.ok(first)
    const shown = config.masked(first)
    assert.deepEqual(
      shown,
      [phone(MASK)].map((d) => ({ ...d, lines: [{ id: 'a', pin: MASK }] })),
    )
    await config.save('alfa', change(1, ...shown))
    assert.deepEqual(config.current('alfa')?.documents, first.documents)
    await assert.rejects(config.save('beta', change(0, ...shown)), UnknownMaskError)
    await config.save('alfa', change(2, phone('hunter2')))
    assert.deepEqual(config.current('alfa')?.documents, first.documents)
  })

  test('open only in their place and with their key', async () => {
    await using r = await rig()
    const sealed = seal(r.key, 'text', 'alfa/s1')
    assert.equal(unseal(r.key, sealed, 'alfa/s1'), 'text')
    assert.throws(() => unseal(r.key, sealed, 'beta/s1'), SealBrokenError)
    assert.throws(() => unseal(r.key, `${sealed.slice(0, -2)}AA`, 'alfa/s1'), SealBrokenError)
    assert.throws(() => unseal(r.key, '', 'alfa/s1'), SealBrokenError)
  })

  test('the key file is made once, for its owner only, and a broken one is refused', async () => {
    await using r = await rig()
    const file = join(r.folder, 'other', 'secret.key')
    const keys = await Promise.all([1, 2, 3, 4].map(() => secretKey(file)))
    assert.ok(keys.every((key) => key.equals(keys[0] ?? key)))
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    await writeFile(file, 'nonsense')
    await assert.rejects(secretKey(file), BadKeyFileError)
  })
})

describe('while PostgreSQL is away', () => {
  test('the server starts with the last configuration of every company, secrets included', async () => {
    await using r = await rig()
    {
      await using config = await r.open()
      await config.save('alfa', change(0, phone('hunter2')))
    }
    const away = openStore({ urls: { owner: 'postgres://nobody@/none?host=%2Fnowhere' }, clock: systemClock, log: silentLog })
    await using config = await r.open(away)
    assert.equal(config.current('alfa')?.version, 1)
    assert.equal(revealPassword(config, config.current('alfa')?.documents), 'hunter2')
    assert.deepEqual(config.tenants(), ['alfa'])
    await away.close()
  })
})
