import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { migrate, type Migration, NewerSchemaError } from '#server/store/migrate.ts'
import { migrations } from '#server/store/migrations/index.ts'
import { openStore } from '#server/store/store.ts'
import { freshDatabase, testPostgres } from '#server/store/testing.ts'

/** What an ordinary release may add. */
const wider: Migration = {
  name: '9000-wider',
  up: async (client) => void (await client.query("alter table tenant add column nickname text not null default ''")),
}

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client(url)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

test('the oldest schema with data is brought up to date while the old server writes, and nothing is lost', async () => {
  const urls = await freshDatabase((await testPostgres()).urls)
  await using owner = await connected(urls.owner)
  const [oldest] = migrations
  assert.ok(oldest)
  await migrate(owner, [oldest])
  const insert = (client: Client, id: string): Promise<unknown> =>
    client.query("insert into centrala.tenant (id, name, state, created_at) values ($1, 'Old', 'active', now())", [id])
  for (let n = 0; n < 500; n++) await insert(owner, `before${n}`)

  await using writer = await connected(urls.owner)
  let stop = false
  let written = 0
  const writing = (async () => {
    while (!stop) await insert(writer, `during${written++}`)
  })()
  // A query of the old server that takes its time: the step must let the writers behind it pass.
  await using slow = await connected(urls.owner)
  await slow.query('begin')
  await slow.query('select * from centrala.tenant limit 1')
  const migrating = migrate(owner, [...migrations, wider])
  while (written < 20) await new Promise((resolve) => setImmediate(resolve))
  const atStart = written
  await new Promise((resolve) => void systemClock.after(1_500, () => resolve(null)))
  assert.ok(written > atStart, 'writers passed while the step waited for its lock')
  await slow.query('commit')
  assert.ok((await migrating).includes(wider.name))
  const atEnd = written
  while (written < atEnd + 20) await new Promise((resolve) => setImmediate(resolve))
  stop = true
  await writing
  const { rows } = await owner.query<{ count: string }>("select count(*) as count from centrala.tenant where nickname = ''")
  assert.equal(Number(rows[0]?.count), 500 + written)
  assert.deepEqual(await migrate(owner, [...migrations, wider]), [], 'a second time there is nothing to do')
})

test('a schema from the future is refused with what to do, and left as it is', async () => {
  const urls = await freshDatabase((await testPostgres()).urls)
  await using owner = await connected(urls.owner)
  await migrate(owner, [...migrations, wider])
  await assert.rejects(
    migrate(owner, migrations),
    (fault: Error) =>
      fault instanceof NewerSchemaError && /9000-wider by a newer version of Centrala: run that version/.test(fault.message),
  )
  const store = openStore({ urls, clock: systemClock, log: silentLog, connections: 2 })
  await assert.rejects(store.ready(1_000), /newer version of Centrala/)
  assert.match(store.health().detail ?? '', /run that version again/)
  await store.close()
})
