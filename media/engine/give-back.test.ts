import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const module = new URL('give-back.ts', import.meta.url).href

/** A process that makes 40 MB of small things, drops them, and tells how much of them it still holds: before, and after it gave memory back. */
const program = `
import { readFileSync } from 'node:fs'
const { openGiveBack } = await import(${JSON.stringify(module)})
const resident = () => Number(/^Rss:\\s+(\\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))[1])
const giveBack = openGiveBack()
giveBack?.()
const base = resident()
let kept = Array.from({ length: 400_000 }, (_, at) => ({ at, text: String(at) }))
const pinned = kept.filter(({ at }) => at % 1_000 === 0)
kept = []
globalThis.gc?.()
const held = resident() - base
giveBack?.()
console.log(JSON.stringify({ able: giveBack !== null, held, after: resident() - base, pinned: pinned.length }))
`

async function run(...options: string[]): Promise<{ able: boolean; held: number; after: number }> {
  const words = ['--disable-warning=ExperimentalWarning', ...options, '--input-type=module', '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  return JSON.parse(stdout) as { able: boolean; held: number; after: number }
}

test('what was dropped is given back, also where a little is still in use in between', { skip: process.platform !== 'linux' }, async () => {
  const { held, after } = await run('--expose-gc')
  assert.ok(after < held / 2, `of ${held} kB that an ordinary collection left, ${after} kB remain`)
})

test('a process whose V8 was not asked for it gives nothing back', { skip: process.platform !== 'linux' }, async () => {
  assert.equal((await run()).able, false)
})
