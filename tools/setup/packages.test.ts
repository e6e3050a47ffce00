import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { missingPackages } from '#tools/setup/packages.mjs'

let project: string
beforeEach(async () => void (project = await mkdtemp(join(tmpdir(), 'centrala-packages-'))))
afterEach(() => rm(project, { recursive: true }))

const otherPlatform = process.platform === 'linux' ? 'darwin' : 'linux'
const wanted = {
  '': { version: '0.1.0' },
  'node_modules/pg': { version: '8.0.0', integrity: 'sha512-a' },
  'node_modules/ours': { version: '1.0.0', integrity: 'sha512-b', optional: true, os: [process.platform], cpu: process.arch },
  'node_modules/theirs': { version: '1.0.0', integrity: 'sha512-c', optional: true, os: [otherPlatform], cpu: [process.arch] },
}

async function write(path: string, packages: object): Promise<void> {
  await mkdir(join(project, 'node_modules'), { recursive: true })
  await writeFile(join(project, path), JSON.stringify({ lockfileVersion: 3, packages }))
}

test('in a fresh clone everything that this machine needs is missing', async () => {
  await write('package-lock.json', wanted)
  assert.deepEqual(missingPackages(project), ['node_modules/pg', 'node_modules/ours'])
})

test('nothing is missing when npm installed what the lock names', async () => {
  await write('package-lock.json', wanted)
  const { 'node_modules/theirs': _, ...installed } = wanted
  await write('node_modules/.package-lock.json', installed)
  assert.deepEqual(missingPackages(project), [])
})

test('another version, or the same version with other content, is missing', async () => {
  await write('package-lock.json', wanted)
  await write('node_modules/.package-lock.json', { ...wanted, 'node_modules/pg': { version: '8.0.1', integrity: 'sha512-a' } })
  assert.deepEqual(missingPackages(project), ['node_modules/pg'])
  await write('node_modules/.package-lock.json', { ...wanted, 'node_modules/pg': { version: '8.0.0', integrity: 'sha512-z' } })
  assert.deepEqual(missingPackages(project), ['node_modules/pg'])
})

test('packages of another machine, copied over, do not serve', async () => {
  await write('package-lock.json', wanted)
  const { 'node_modules/ours': _, ...installed } = wanted
  await write('node_modules/.package-lock.json', installed)
  assert.deepEqual(missingPackages(project), ['node_modules/ours'])
})

test('parts of tools that are made for the C library of this machine are needed, those for another are not', async () => {
  const part = { version: '1.0.0', integrity: 'sha512-d', optional: true, os: [process.platform], cpu: [process.arch] }
  await write('package-lock.json', {
    'node_modules/any': part,
    'node_modules/glibc': { ...part, libc: ['glibc'] },
    'node_modules/musl': { ...part, libc: ['musl'] },
    'node_modules/both': { ...part, libc: ['glibc', 'musl'] },
  })
  const { header } = process.report.getReport() as { header: object }
  const ours = process.platform === 'linux' ? ['glibcVersionRuntime' in header ? 'glibc' : 'musl', 'both'] : []
  assert.deepEqual(
    missingPackages(project),
    ['any', ...ours].map((name) => `node_modules/${name}`),
  )
})
