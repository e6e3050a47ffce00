import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { NewFact } from '#contract/facts.ts'
import { applyConfiguration, planConfiguration, type ApplyNeeds, type Wanted, withoutSounds } from '#server/companies/apply.ts'
import { smtpPolicy } from '#server/companies/mail-policy.ts'
import { secretsOf } from '#server/companies/secrets.ts'
import { compile } from '#server/config/compile.ts'
import { changed, smallCompany } from '#server/config/testing.ts'
import { MASK, openConfigStore, secretKey, type ConfigStore } from '#server/config-store/index.ts'
import { Books } from '#server/dialplan/books.ts'
import { testStore } from '#server/store/testing.ts'
import { PromptFiles } from '#server/prompts/prompt-files.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A company's configuration on a real store. */
async function company() {
  const clock = new VirtualClock(1_772_445_600_000)
  const folder = await mkdtemp(join(tmpdir(), 'centrala-apply-'))
  const box = await testStore(['acme'])
  const key = await secretKey(join(folder, 'secret.key'))
  const store = await openConfigStore({ store: box.store, clock, log: silentLog, key, folder: join(folder, 'configuration') })
  const facts: NewFact[] = []
  const files = new PromptFiles(join(folder, 'prompts'), countingRandom())
  const needs: ApplyNeeds = {
    store,
    random: countingRandom(),
    tell: (fact) => void facts.push(fact),
    sounds: async () => new Map([['hello', 2_000]]),
    files,
    sources: { shared: new SharedSources([]), foundOfOthers: () => [] },
  }
  const apply = (wanted: Wanted, expected?: number) =>
    applyConfiguration(needs, 'acme', { wanted, author: 'Anna', comment: 'test', ...(expected !== undefined && { expected }) })
  const dispose = async () => {
    await store[Symbol.asyncDispose]()
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { needs, facts, files, apply, store, [Symbol.asyncDispose]: dispose }
}

const asFile = (text: string): Wanted => ({ files: [{ name: 'company.yaml', text }] })

function passwordOf(store: ConfigStore, device: string): string | null {
  const password = store.current('acme')?.documents.find((d) => d.kind === 'device' && d.id === device)?.['password']
  return secretsOf(store, 'acme')(password as string)
}

test('a sound configuration becomes a version, a fact, and passwords that its phones keep', async () => {
  await using c = await company()
  const first = await c.apply(asFile(smallCompany))
  assert.equal(first.kind, 'applied')
  assert.deepEqual(c.facts, [{ kind: 'config.changed', tenant: 'acme', version: 1, author: 'Anna', comment: 'test' }])
  const password = passwordOf(c.store, 'anna-desk')
  assert.match(password ?? '', /^[a-hjkmnp-z2-9]{16}$/)
  const second = await c.apply({ documents: changed({ 'person anna': { name: 'Anna B' } }) })
  assert.equal(second.kind === 'applied' && second.version, 2)
  assert.deepEqual(second.kind === 'applied' && second.changes.map(({ kind, id }) => [kind, id]), [['person', 'anna']])
  assert.equal(passwordOf(c.store, 'anna-desk'), password)
})

test('one error refuses the whole: nothing changes, and every error is told with its place', async () => {
  await using c = await company()
  await c.apply(asFile(smallCompany))
  const broken = smallCompany.replace('ringGroup: sales', 'ringGroup: nobody').replace('flow: main } }', 'flow: lost } }')
  const refused = await c.apply(asFile(broken))
  assert.ok(refused.kind === 'refused')
  const errors = refused.problems.filter((problem) => problem.severity === 'error')
  assert.ok(errors.length >= 2)
  for (const error of errors) assert.ok(error.file === 'company.yaml' && (error.line ?? 0) > 1, error.message)
  assert.equal(c.store.current('acme')?.version, 1)
  assert.equal(c.facts.length, 1)
})

test('a version refers to what its sound files hold; the same documents over another sound are another version', async () => {
  await using c = await company()
  const sounds = join(import.meta.dirname, '..', '..', 'examples', 'demo', 'prompts')
  const bring = async (name: string): Promise<void> => {
    assert.equal((await c.files.keep('acme', 'hello.wav', await readFile(join(sounds, name)))).kind, 'kept')
  }
  const documents = changed({ 'prompt hello': { file: 'hello.wav' } })
  const hashIn = (): unknown => c.store.current('acme')?.documents.find(({ kind, id }) => kind === 'prompt' && id === 'hello')?.['sha256']
  await c.apply({ documents })
  assert.equal(hashIn(), undefined, 'there was none yet')
  await bring('barred.wav')
  await c.apply({ documents })
  const first = hashIn()
  assert.match(String(first), /^[0-9a-f]{64}$/)
  await bring('capped.wav')
  const planned = await planConfiguration(c.needs, 'acme', { documents })
  assert.deepEqual(planned.kind === 'sound' && planned.changes.map(({ id, fields }) => [id, fields.map(({ pointer }) => pointer)]), [
    ['hello', ['/sha256']],
  ])
  await c.apply({ documents })
  assert.notEqual(hashIn(), first)
  const coming = [{ file: 'hello.wav', ms: 100, sha256: String(first) }]
  const back = await planConfiguration(c.needs, 'acme', { documents, coming })
  assert.deepEqual(back.kind === 'sound' && back.documents.flatMap((d) => (d.kind === 'prompt' ? d.sha256 : [])), [first])
  assert.ok(c.store.current('acme')?.documents.some((d) => d['sha256'] !== undefined))
  assert.ok(withoutSounds(c.store.current('acme')?.documents ?? []).every((d) => d['sha256'] === undefined))
})

test('planning changes nothing', async () => {
  await using c = await company()
  const planned = await planConfiguration(c.needs, 'acme', asFile(smallCompany))
  assert.equal(planned.kind === 'sound' && planned.current, 0)
  assert.equal(c.store.current('acme'), null)
  assert.deepEqual(c.facts, [])
})

test('who has not seen the newest version is told so instead of undoing it', async () => {
  await using c = await company()
  await c.apply(asFile(smallCompany))
  assert.deepEqual(await c.apply({ documents: changed({}) }, 0), { kind: 'conflict', current: 1 })
})

test('a prompt that nobody would hear is a warning, not an error', async () => {
  await using c = await company()
  const applied = await applyConfiguration({ ...c.needs, sounds: async () => new Map() }, 'acme', {
    wanted: asFile(smallCompany),
    author: 'a',
    comment: '',
  })
  assert.ok(applied.kind === 'applied')
  assert.ok(applied.warnings.some(({ rule, id }) => rule === 'missing-sound' && id === 'hello'))
})

test('letters of a company leave through its own mail server with its own password, else through the system’s', async () => {
  await using c = await company()
  const books = new Books(silentLog)
  const system = { url: 'smtps://user:p%40ss@mail.example', from: 'system@mail.example' }
  const policy = smtpPolicy(books, c.store, system)
  assert.deepEqual(policy('acme'), { host: 'mail.example', port: 465, secure: true, from: system.from, user: 'user', password: 'p@ss' })
  assert.equal(smtpPolicy(books, c.store, { ...system, url: null })('acme'), null)
  const mail = { from: 'pbx@acme.example', smtp: { host: 'smtp.acme.example', user: 'pbx', password: 'hunter2' } }
  await c.apply({ documents: changed({ 'company acme': { mail } }) })
  const version = c.store.current('acme')
  assert.ok(version !== null)
  assert.match(JSON.stringify(c.store.masked(version)), new RegExp(`"password":"${MASK.replaceAll('*', '\\*')}"`))
  books.take({ tenant: 'acme', version: 1, config: compile(version.documents as never) })
  assert.deepEqual(policy('acme'), {
    host: 'smtp.acme.example',
    port: 587,
    secure: false,
    from: mail.from,
    user: 'pbx',
    password: 'hunter2',
  })
})
