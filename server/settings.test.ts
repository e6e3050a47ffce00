import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readSettings } from '#server/settings.ts'
import { SettingsError } from '#server/settings-reader.ts'

let project: string
before(async () => void (project = await mkdtemp(join(tmpdir(), 'centrala-settings-'))))
after(() => rm(project, { recursive: true }))

const data = { CENTRALA_DATA_FOLDER: 'somewhere' }

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings({ environment: { ...data, ...environment }, project })
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

test('without any setting there is one for everything', () => {
  const settings = readSettings({ environment: data, project })
  assert.equal(settings.sip.port, 5060)
  assert.deepEqual([settings.media.firstPort, settings.media.lastPort], [20_000, 29_999])
  assert.equal(settings.database.url, null)
  assert.equal(settings.folders.data, join(project, 'somewhere'))
})

test('the environment wins over the file, and the file over the default', async () => {
  const file = join(project, 'centrala.config')
  await writeFile(file, '# ports\nCENTRALA_SIP_PORT=5080\n\nCENTRALA_HTTP_PORT = "9090"\nCENTRALA_DEMO_CARRIER=off\n')
  const settings = readSettings({ environment: { ...data, CENTRALA_SIP_PORT: '5090' }, project })
  assert.deepEqual([settings.sip.port, settings.http.port, settings.demoCarrier.enabled], [5090, 9090, false])
  await writeFile(file, 'CENTRALA_SIP_PORT=high\nnonsense\nSMTP_URL=smtp://mail\n')
  assert.deepEqual(problemsOf({}), [
    'centrala.config:2: expected NAME=value',
    'centrala.config:1: CENTRALA_SIP_PORT must be a port, 1 to 65535; it is "high"',
  ])
  await rm(file)
})

test('every wrong setting is named at once, with what was expected', () => {
  assert.deepEqual(problemsOf({ CENTRALA_SIP_PORT: '70000', CENTRALA_SIP_ADDRESSES: '10.0.0.1, here', CENTRALA_DEMO_CARRIER: 'maybe' }), [
    'environment: CENTRALA_SIP_ADDRESSES must be IPv4 or IPv6 addresses, separated by commas; it is "10.0.0.1, here"',
    'environment: CENTRALA_SIP_PORT must be a port, 1 to 65535; it is "70000"',
    'environment: CENTRALA_DEMO_CARRIER must be on or off; it is "maybe"',
  ])
})

test('a misspelt setting is refused, a stranger of the environment is not', () => {
  assert.deepEqual(problemsOf({ CENTRALA_SIPPORT: '5060', PATH: '/bin' }), [
    'environment: CENTRALA_SIPPORT is not a setting; the settings stand in docs/settings.md',
  ])
})

test('a password in a wrong URL is not repeated', () => {
  assert.deepEqual(problemsOf({ DATABASE_URL: 'mysql://root:hush@db/x' }), [
    'environment: DATABASE_URL must be postgres://user:password@host:port/database; it is "mysql://root:***@db/x"',
  ])
})

test('a range of ports too small for the engines is refused', () => {
  const few = { CENTRALA_RTP_FIRST_PORT: '20000', CENTRALA_RTP_LAST_PORT: '20003', CENTRALA_MEDIA_ENGINES: '3' }
  assert.match(problemsOf(few)[0] ?? '', /CENTRALA_RTP_LAST_PORT must leave at least 6 ports/)
})

test('docs/settings.md names every setting', async () => {
  const page = await readFile(join(import.meta.dirname, '..', 'docs', 'settings.md'), 'utf8')
  const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1])
  const source = await readFile(join(import.meta.dirname, 'settings.ts'), 'utf8')
  const read = [...source.matchAll(/read\.one\('([A-Z_]+)'/g)].map((match) => match[1])
  assert.deepEqual(new Set(documented), new Set(read))
})
