import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { Client } from 'pg'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { Store } from '#server/store/face.ts'
import { startEmbeddedPostgres } from '#server/store/postgres-process.ts'
import type { EmbeddedPostgres, StoreUrls } from '#server/store/settings.ts'
import { openStore } from '#server/store/store.ts'

/** A store over an empty database of its own, in the one PostgreSQL that this test process started. */
export interface TestStore {
  readonly store: Store
  readonly urls: StoreUrls
  readonly postgres: EmbeddedPostgres
  [Symbol.asyncDispose](): Promise<void>
}

let server: Promise<{ postgres: EmbeddedPostgres; folder: string }> | null = null
let databases = 0

/** The real PostgreSQL of this test process, started at the first call and stopped after the last test. */
export async function testPostgres(): Promise<EmbeddedPostgres> {
  server ??= startForTests()
  return (await server).postgres
}

/** A store that is ready, with the companies `tenants` in it. The caller disposes of it. */
export async function testStore(tenants: readonly string[] = []): Promise<TestStore> {
  const postgres = await testPostgres()
  const urls = await freshDatabase(postgres.urls)
  const store = openStore({ urls, clock: systemClock, log: silentLog, connections: 4 })
  await store.ready(30_000)
  await store.acrossTenants('companies for a test', async (db) => {
    for (const id of tenants)
      await db
        .insertInto('tenant')
        .values({ id, name: id, state: 'active', created_at: new Date(0) })
        .execute()
  })
  return { store, urls, postgres, [Symbol.asyncDispose]: () => store.close() }
}

/** URLs of a new, empty database beside the one of `urls`. */
export async function freshDatabase(urls: StoreUrls): Promise<StoreUrls> {
  const name = `test_${++databases}`
  const client = new Client(urls.owner)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const renamed = (url: string) => url.replace('/centrala?', `/${name}?`)
  return { owner: renamed(urls.owner), tenant: renamed(urls.tenant ?? ''), system: renamed(urls.system ?? '') }
}

async function startForTests() {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-test-'))
  return { postgres: await startEmbeddedPostgres({ dataFolder: folder, log: silentLog, sharedBuffersMb: 16 }), folder }
}

after(async () => {
  if (server === null) return
  const { postgres, folder } = await server
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
})
