import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTestFile } from '#tools/test/test-file.ts'

/** How the tests in a file of this text ended. */
async function outcomes(text: string): Promise<{ name: string; outcome: string; why: string }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-test-file-'))
  const file = join(folder, 'some.test.mjs')
  await writeFile(file, `import { before, describe, test } from 'node:test'\n${text}\n`)
  // This is a test itself: what Node tells its tests about that must not reach the inner one.
  const environment = { NODE_TEST_CONTEXT: '' }
  const { tests } = await runTestFile({ project: folder, file, scratch: folder, limitMs: 60_000, environment })
  await rm(folder, { recursive: true })
  return tests.map(({ name, outcome, why }) => ({ name, outcome, why }))
}

test('tests count, the suites around them do not', async () => {
  const text = "describe('all', () => { test('good', () => {}); test('bad', () => { throw new Error('broken') }) })"
  const [good, bad, ...more] = await outcomes(text)
  assert.deepEqual(good, { name: 'good', outcome: 'passed', why: '' })
  assert.equal(bad?.outcome, 'failed')
  assert.match(bad?.why ?? '', /broken/)
  assert.deepEqual(more, [])
})

test('a suite that is skipped as a whole counts, with its reason', async () => {
  const text = "describe('phones', { skip: 'sipp is not installed' }, () => { test('rings', () => {}) })"
  assert.deepEqual(await outcomes(text), [{ name: 'phones', outcome: 'skipped', why: 'sipp is not installed' }])
})

test('a hook that fails says why, beside the tests that could not run for it', async () => {
  const text = "before(() => { throw new Error('the port is taken') })\ndescribe('all', () => { test('one', () => {}) })"
  const all = await outcomes(text)
  assert.ok(all.every(({ outcome }) => outcome === 'failed'))
  assert.ok(all.some(({ name, why }) => name === 'all' && why.includes('the port is taken')))
})
