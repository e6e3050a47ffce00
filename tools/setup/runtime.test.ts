import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { doesNotRun, ensureNode, missingLibrary } from '#tools/setup/runtime.mjs'

const root = join(import.meta.dirname, '..', '..')
const linux = 'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory'

let project: string
beforeEach(async () => void (project = await mkdtemp(join(tmpdir(), 'centrala-runtime-'))))
afterEach(() => rm(project, { recursive: true }))

/** A packaged Node that is a script. */
async function packagedNode(script: string): Promise<string> {
  const path = join(project, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

test('the Node that came as a package is taken', async () => {
  const node = await packagedNode('echo v26.1.0')
  assert.equal(await ensureNode(project), node)
})

test('one that does not run gives way to a Node of the machine', async () => {
  await packagedNode(`echo '${linux}' >&2; exit 127`)
  assert.equal(await ensureNode(project), process.execPath)
})

test('the loader tells which library is missing', () => {
  assert.equal(missingLibrary(linux), 'libatomic.so.1')
  assert.equal(missingLibrary('node: cannot execute binary file'), null)
  assert.equal(missingLibrary("node: /lib/libc.so.6: version `GLIBC_2.28' not found"), null)
})

test('a library that cannot be had is told with the command that brings it', () => {
  assert.match(doesNotRun('/p/node', linux), /needs libatomic\.so\.1, .* sudo apt-get install --yes --no-install-recommends libatomic1/)
  assert.match(doesNotRun('/p/node', 'cannot execute binary file'), /does not run here: cannot execute binary file\. Install Node 26/)
})

test('npm is told the Node that the project runs on, not its own', async () => {
  const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const said = execFileSync(process.execPath, ['--require', join(root, 'tools/setup/npm-for-node.cjs'), '-p', 'process.version'], {
    encoding: 'utf8',
  })
  assert.equal(said.trim(), `v${optionalDependencies[`node-${process.platform}-${process.arch}`]}`)
})
