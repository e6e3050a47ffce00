import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { Client } from 'pg'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { StoreAwayError, type TenantDb } from '#server/store/face.ts'
import { migrate, NewerSchemaError } from '#server/store/migrate.ts'
import { migrations } from '#server/store/migrations/index.ts'
import { makePartitions } from '#server/store/partitions.ts'
import { openStore } from '#server/store/store.ts'
import { freshDatabase, testPostgres, testStore } from '#server/store/testing.ts'

async function fill(db: TenantDb, tenant: string): Promise<void> {
  const at = new Date('2026-03-04T05:06:07Z')
  const json = '[]'
  await db.insertInto('config_version').values({ tenant, version: 1, author: 'a', comment: '', at, documents: json }).execute()
  await db.insertInto('secret').values({ tenant, id: 's', sealed: tenant, at }).execute()
  await sql`insert into fact values (${tenant}, 'c', 1, ${at}, 'call.started', '{}')`.execute(db)
  await sql`insert into fact values (${tenant}, 'c', 2, now(), 'call.ended', '{}')`.execute(db)
  await db
    .insertInto('call')
    .values({
      tenant,
      id: 'c',
      started_at: at,
      direction: 'inbound',
      from_number: tenant,
      to_number: '1',
      ring_ms: 0,
      talk_ms: 0,
      outcome: 'answered',
      outcome_by: 'us',
      missed: false,
      recordings: [],
      legs: json,
      participants: [],
      config: 1,
      recovered: false,
      search: '',
    })
    .execute()
  await db
    .insertInto('recording')
    .values({ tenant, id: 'r', call: 'c', started_at: at, ms: 1, bytes: 1, path: '', turns: json, gaps: json })
    .execute()
  await db
    .insertInto('job')
    .values({ tenant, kind: 'k', key: 'k', payload: '{}', state: 'waiting', attempts: 0, run_at: at, created_at: at })
    .execute()
  await sql`insert into api_key (tenant, name, prefix, hash, role, created_at) values (${tenant}, 'n', 'p', ${tenant}, 'owner', ${at})`.execute(
    db,
  )
  await db.insertInto('idempotency_key').values({ tenant, key: 'k', fingerprint: 'f', created_at: at }).execute()
}

interface TableName {
  name: string
  parent: boolean
}
const allTables = sql<TableName>`select c.relname as name, not c.relispartition as parent from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'centrala' and c.relkind in ('r', 'p') order by 1`

describe('the wall between companies', () => {
  test('raw SQL of one company sees, changes and adds nothing of another in any table of the schema', async () => {
    await using box = await testStore(['alfa', 'beta'])
    const { store } = box
    for (const tenant of ['alfa', 'beta']) await store.forTenant(tenant, (db) => fill(db, tenant))
    const { rows: tables } = await store.acrossTenants('test', (db) => allTables.execute(db))
    assert.ok(tables.length >= 17)
    for (const { name, parent } of tables) {
      const ours = await store
        .forTenant('alfa', (db) => sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(db))
        .catch((error: Error) => error)
      if (ours instanceof Error) {
        assert.match(ours.message, /permission denied/, name)
        assert.ok(!parent || name === 'wall' || name === 'migration', name)
        continue
      }
      assert.ok(ours.rows.length >= 1, `${name} has rows of alfa`)
      for (const { row } of ours.rows) assert.doesNotMatch(row, /beta/, name)
      const column = name === 'tenant' ? 'id' : 'tenant'
      const changed = await store.forTenant('alfa', (db) =>
        sql`delete from ${sql.table(name)} where ${sql.ref(column)} = 'beta'`.execute(db),
      )
      assert.equal(changed.numAffectedRows, 0n, name)
    }
    await assert.rejects(
      store.forTenant('alfa', (db) => fill(db, 'beta')),
      /row-level security/,
    )
    const moved = store.forTenant('alfa', (db) => sql`update recording set tenant = 'beta'`.execute(db))
    await assert.rejects(moved, /row-level security/)
  })

  test('a forged or borrowed pass opens nothing', async () => {
    await using box = await testStore(['alfa', 'beta'])
    const { store } = box
    for (const tenant of ['alfa', 'beta']) await store.forTenant(tenant, (db) => fill(db, tenant))
    const seen = async (...smuggled: string[]) =>
      store.forTenant('alfa', async (db) => {
        for (const text of smuggled) await sql.raw(text).execute(db)
        return (await sql<{ tenant: string }>`select tenant from recording`.execute(db)).rows.map((row) => row.tenant)
      })
    assert.deepEqual(await seen(), ['alfa'])
    assert.deepEqual(await seen("select set_config('app.tenant', 'beta', true)"), [])
    assert.deepEqual(await seen("select set_config('app.tenant', 'beta:' || split_part(current_setting('app.tenant'), ':', 2), true)"), [])
    assert.deepEqual(await seen("select set_config('app.everyone', 'true', true)"), ['alfa'])
    assert.deepEqual(await seen('reset role'), ['alfa'])
    await assert.rejects(seen('set role centrala_system'), /permission denied/)
    await assert.rejects(seen('set row_security = off'), /row-level security/)
    await assert.rejects(seen("select wall_signature('tenant:beta')"), /permission denied/)
    await assert.rejects(seen('create table mine (a int)'), /permission denied/)
  })

  test('nothing of a pass stays on the connection for the next company', async () => {
    await using box = await testStore(['alfa', 'beta'])
    const pass = () => sql<{ pass: string }>`select current_setting('app.tenant') as pass`
    for (const tenant of ['alfa', 'beta', 'alfa']) {
      const { rows } = await box.store.forTenant(tenant, (db) => pass().execute(db))
      assert.ok(rows[0]?.pass.startsWith(`${tenant}:`))
    }
  })

  test('what cannot be a company id is refused before any SQL', async () => {
    await using box = await testStore()
    for (const bad of ['', 'A', "x'; drop table tenant; --", 'a'.repeat(64), '-a', '..']) {
      await assert.rejects(
        box.store.forTenant(bad, async () => 1),
        RangeError,
      )
    }
  })

  test('with a database of one own the roles are taken on by SET ROLE', async () => {
    const postgres = await testPostgres()
    const { owner } = await freshDatabase(postgres.urls)
    const store = openStore({ urls: { owner }, clock: systemClock, log: silentLog, connections: 2 })
    await store.ready(30_000)
    const who = () => sql<{ who: string }>`select current_user as who`
    assert.equal((await store.forTenant('alfa', (db) => who().execute(db))).rows[0]?.who, 'centrala_tenant')
    assert.equal((await store.acrossTenants('test', (db) => who().execute(db))).rows[0]?.who, 'centrala_system')
    await store.close()
  })
})

describe('transactions', () => {
  test('a rejected piece of work leaves nothing behind and passes its error on', async () => {
    await using box = await testStore(['alfa'])
    const failing = box.store.forTenant('alfa', async (db) => {
      await fill(db, 'alfa')
      throw new Error('changed my mind')
    })
    await assert.rejects(failing, /changed my mind/)
    const { length } = await box.store.forTenant('alfa', (db) => db.selectFrom('recording').selectAll().execute())
    assert.equal(length, 0)
  })
})

describe('a database that is away', () => {
  test('calls fail at once with a named error, and work again when it is back', async () => {
    await using box = await testStore(['alfa'])
    const { store, postgres } = box
    const changes: string[] = []
    using _watch = store.onChange((health) => changes.push(health.state))
    const before = postgres.pid
    process.kill(before, 'SIGKILL')
    const back = Promise.withResolvers<void>()
    using _back = store.onChange((health) => health.state === 'ready' && back.resolve())
    const ask = () => store.forTenant('alfa', (db) => db.selectFrom('tenant').select('id').execute())
    await assert.rejects(async () => {
      for (;;) await ask()
    }, StoreAwayError)
    await assert.rejects(ask(), StoreAwayError)
    assert.equal(store.health().state, 'away')
    await back.promise
    assert.deepEqual(await ask(), [{ id: 'alfa' }])
    assert.notEqual(postgres.pid, before)
    assert.deepEqual(changes, ['away', 'ready'])
  })

  test('opening a store never waits, and ready says why it is not', async () => {
    const store = openStore({ urls: { owner: 'postgres://nobody@/none?host=%2Fnowhere' }, clock: systemClock, log: silentLog })
    await assert.rejects(
      store.forTenant('alfa', async () => 1),
      StoreAwayError,
    )
    await assert.rejects(store.ready(50), /ENOENT/)
    await store.close()
  })
})

describe('the schema', () => {
  test('is made once however many servers start together, and a newer one is refused', async () => {
    const { urls } = await testPostgres()
    const { owner } = await freshDatabase(urls)
    const clients = [1, 2, 3].map(() => new Client(owner))
    for (const client of clients) await client.connect()
    const made = await Promise.all(clients.map((client) => migrate(client, migrations)))
    assert.equal(made.flat().length, migrations.length)
    const first = clients[0]
    assert.ok(first)
    await assert.rejects(migrate(first, []), NewerSchemaError)
    for (const client of clients) await client.end()
  })

  test('facts of any month find their partition, also when it is made after them', async () => {
    await using box = await testStore(['alfa'])
    const client = new Client(box.urls.owner)
    await client.connect()
    await client.query("insert into centrala.fact values ('alfa', 'c', 1, '2031-05-05', 'k', '{}')")
    await makePartitions(client, Date.parse('2031-05-20'))
    await client.query("insert into centrala.fact values ('alfa', 'c', 2, '2031-06-05', 'k', '{}')")
    const { rows } = await client.query<{ part: string }>('select tableoid::regclass::text as part from centrala.fact order by seq')
    assert.deepEqual(
      rows.map((row) => row.part),
      ['centrala.fact_other', 'centrala.fact_2031_06'],
    )
    await client.end()
  })
})
