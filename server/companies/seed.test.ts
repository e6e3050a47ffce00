import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { bannerOf } from '#server/companies/banner.ts'
import { demoTenant, seedDemo, type SeedNeeds } from '#server/companies/seed.ts'
import { compile } from '#server/config/compile.ts'
import { readValues } from '#server/config/read.ts'
import { openConfigStore, secretKey } from '#server/config-store/index.ts'
import { Books } from '#server/dialplan/books.ts'
import { PromptFiles } from '#server/prompts/prompt-files.ts'
import { readSettings } from '#server/settings.ts'
import { testStore } from '#server/store/testing.ts'
import { openTenants } from '#server/tenants/index.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'

const project = join(import.meta.dirname, '..', '..')

/** A system with these companies and no configuration. */
async function system(companies: string[]) {
  const clock = new VirtualClock(1_772_445_600_000)
  const folder = await mkdtemp(join(tmpdir(), 'centrala-seed-'))
  const box = await testStore(companies)
  const key = await secretKey(join(folder, 'secret.key'))
  const store = await openConfigStore({ store: box.store, clock, log: silentLog, key, folder: join(folder, 'configuration') })
  const prompts = join(folder, 'prompts')
  const files = new PromptFiles(prompts, countingRandom())
  const needs: SeedNeeds = {
    ...{ store, random: countingRandom(), tell: () => undefined, sounds: async () => new Map(), files, prompts, log: silentLog },
    sources: { shared: new SharedSources([]), foundOfOthers: () => [] },
    tenants: openTenants(box.store, clock),
    examples: join(project, 'examples', 'demo'),
    carrierPort: 25_170,
  }
  const dispose = async (): Promise<void> => {
    await store[Symbol.asyncDispose]()
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { needs, store, files, [Symbol.asyncDispose]: dispose }
}

test('a system without a company begins with the demo company: its trunk at this carrier, its sounds kept, its phones with passwords', async () => {
  await using at = await system([])
  await seedDemo(at.needs)
  const documents = at.store.current(demoTenant)?.documents ?? []
  const trunk = documents.find(({ kind }) => kind === 'trunk')
  assert.equal(trunk?.['port'], 25_170)
  const named = documents.flatMap(({ kind, file }) => (kind === 'prompt' && typeof file === 'string' ? [file] : []))
  const kept = (await at.files.list(demoTenant)).map(({ path }) => path)
  assert.ok(named.length > 0 && named.every((file) => kept.includes(file)), named.join())
  assert.ok(documents.every(({ kind, file, sha256 }) => kind !== 'prompt' || file === undefined || sha256 !== undefined))
  await seedDemo(at.needs)
  assert.equal(at.store.current(demoTenant)?.version, 1, 'once')

  const books = new Books(silentLog)
  books.take({ tenant: demoTenant, version: 1, config: compile(readValues(documents).documents) })
  const settings = readSettings({ environment: { CENTRALA_SIP_ADDRESSES: '127.0.0.1', CENTRALA_SIP_PORT: '25060' }, project })
  const banner = bannerOf({ settings, configs: at.store, books, signIn: null, page: 'http://127.0.0.1:8080/' })
  assert.equal(banner.number, '+74950000100')
  assert.deepEqual(
    banner.extensions
      .map(({ extension }) => extension)
      .toSorted()
      .slice(0, 2),
    ['100', '102'],
  )
  assert.ok(banner.extensions.every(({ password }) => /^[a-hjkmnp-z2-9]{16}$/.test(password ?? '')))
  assert.ok(banner.listening.includes('udp and tcp 127.0.0.1:25060'))
  assert.ok(banner.hints.some((hint) => hint.includes('npx centrala call +74950000100')))
})

test('where there is a company nothing is loaded; without a configuration the banner says that there is none yet', async () => {
  await using at = await system(['acme'])
  await seedDemo(at.needs)
  assert.equal(at.store.current(demoTenant), null)
  const books = new Books(silentLog)
  const settings = readSettings({ environment: {}, project })
  const none = bannerOf({ settings, configs: at.store, books, signIn: null, page: 'p' })
  assert.deepEqual([none.company, none.number, none.extensions, none.hints], ['no company yet', null, [], []])
})
