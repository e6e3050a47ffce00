import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const launcher = join(import.meta.dirname, '..', 'centrala.mjs')
const pretend = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'});Object.defineProperty(process,'version',{value:'v${version}'})`

function launch(words: string[], options: string[] = []): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [...options, launcher, ...words], { encoding: 'utf8' })
}

test('a Node that is too old is told so in a sentence, before anything is fetched', () => {
  const { status, stderr } = launch(['start'], ['--import', pretend('12.22.9')])
  assert.match(stderr, /needs Node 16 or newer with its npm; this is v12\.22\.9\./)
  assert.equal(status, 1)
})

test('an unknown command ends with 2', () => {
  const { status, stderr } = launch(['strat'])
  assert.match(stderr, /There is no command "strat"/)
  assert.equal(status, 2)
})
