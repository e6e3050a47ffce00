import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'

const folder = mkdtempSync(join(tmpdir(), 'centrala-ahead-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const [entry, other, trace] = ['entry.ts', 'other.ts', 'trace'].map((name) => join(folder, name)) as [string, string, string]
const module = new URL('compile-ahead.ts', import.meta.url).href
/** So that `.ts` files there are modules, as ours are. */
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

async function node(...words: string[]): Promise<string> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') }
  return (await promisify(execFile)(process.execPath, ['--expose-gc', ...words], { env })).stdout.trim()
}

/** What the keeper does before it starts a process; gives what it complained of. */
function ahead(): Promise<string> {
  const needs = `{ folders: [${JSON.stringify(folder)}], runtime: ['--expose-gc'], log: { warn: (...words) => console.log(...words) } }`
  return node(
    '--input-type=module',
    '--eval',
    `const { compileAhead } = await import(${JSON.stringify(module)}); await compileAhead(${needs})`,
  )
}

function write(file: string, text: string, seconds: number): void {
  writeFileSync(file, text)
  utimesSync(file, seconds, seconds)
}

/** Says whether the process that runs it has loaded the compiler of TypeScript. */
const saysItself = "console.log(process.moduleLoadList.some((name: string) => name.includes('amaro')))"

test('a process whose code was compiled ahead does not load the compiler; nothing is run by that', async () => {
  write(other, `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(trace)}, '' as string)\n`, 1)
  write(entry, `import './other.ts'\n${saysItself}\n`, 1)
  assert.equal(await node(entry), 'true', 'what is not compiled ahead needs the compiler')
  write(entry, `import './other.ts'\n// Changed.\n${saysItself}\n`, 2)
  rmSync(trace)
  assert.equal(await ahead(), '')
  assert.equal(existsSync(trace), false)
  assert.equal(await node(entry), 'false')
})

test('what cannot be compiled is complained of, once more at each start', async () => {
  write(other, 'const is not it', 3)
  assert.match(await ahead(), /could not compile ahead/)
  assert.match(await ahead(), /could not compile ahead/)
  write(other, '', 4)
  assert.equal(await ahead(), '')
})
