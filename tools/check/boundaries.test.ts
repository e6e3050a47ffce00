import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { readRooms, type Room } from '#tools/check/rooms.ts'

const project = join(import.meta.dirname, '..', '..')

/** A copy of the lint configuration beside invented files: what oxlint says of them, by file. */
let tree: string
let rooms: Room[]

before(async () => {
  tree = await mkdtemp(join(tmpdir(), 'centrala-lint-'))
  rooms = readRooms(await readFile(join(project, 'ARCHITECTURE.md'), 'utf8'))
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) await cp(join(project, file), join(tree, file))
  await symlink(join(project, 'node_modules'), join(tree, 'node_modules'))
})
after(() => rm(tree, { recursive: true, force: true }))

/** Lints invented files and gives the names of the rules broken, by file. */
async function lint(files: Record<string, string>): Promise<Map<string, string[]>> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true })
    await writeFile(join(tree, path), text)
  }
  const report = await run(['--format', 'json', ...Object.keys(files)])
  const broken = new Map<string, string[]>(Object.keys(files).map((path) => [path, []]))
  for (const each of report.diagnostics) broken.get(each.filename)?.push(ruleOf(each.code))
  return broken
}

interface Report {
  /** `code` is absent where oxlint complains of a directive, not of code. */
  diagnostics: { filename: string; code?: string }[]
}

/** `eslint(complexity)` is `complexity`. */
const ruleOf = (code = 'directive'): string => code.replace(/^.*\((.*)\)$/, '$1')

function run(args: string[]): Promise<Report> {
  const oxlint = join(project, 'node_modules', 'oxlint', 'bin', 'oxlint')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [oxlint, ...args], { cwd: tree, maxBuffer: 10_000_000 }, (_, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout))
      } catch (cause) {
        reject(new Error(`oxlint gave no report: ${stderr}${stdout}`, { cause }))
      }
    })
  })
}

/** The extension of a room's source: web's rules must hold in its components too. */
const endingOf = (room: string): string => (room === 'web' ? 'tsx' : 'ts')

test('a room may import exactly the rooms that ARCHITECTURE.md gives it', async () => {
  const files: Record<string, string> = {}
  const expected = new Map<string, string[]>()
  for (const room of rooms) {
    for (const other of rooms) {
      const path = `${room.name}/arrow-to-${other.name}.${endingOf(room.name)}`
      files[path] = `import { thing } from '#${other.name}/thing.ts'\nexport const own = thing\n`
      expected.set(path, room.name === other.name || room.mayImport.includes(other.name) ? [] : ['no-restricted-imports'])
    }
  }
  assert.deepEqual(await lint(files), expected)
})

test('only server, and the folders that touch the machine, import what opens sockets, files or processes', async () => {
  const files: Record<string, string> = {}
  const expected = new Map<string, string[]>()
  const machine = ['node:dgram', 'node:child_process', 'node:timers', 'node:perf_hooks', 'node:events', 'node:worker_threads']
  const allowed = ['server/media.ts', 'sip/transport/udp.ts', 'media/socket/udp.ts', 'media/engine/main.ts']
  const refused = ['base/a.ts', 'contract/a.ts', 'flows/a.ts', 'sip/dialog/a.ts', 'media/rtp/a.ts', 'calls/a.ts', 'web/a.ts']
  for (const module of machine) {
    for (const path of [...allowed, ...refused]) {
      const unique = path.replace('.ts', `-${module.slice(5)}.ts`).replace(`main-${module.slice(5)}`, 'main')
      if (unique in files) continue
      files[unique] = `import * as machine from '${module}'\nexport const own = machine\n`
      expected.set(unique, refused.includes(path) ? ['no-restricted-imports'] : [])
    }
  }
  assert.deepEqual(await lint(files), expected)
})

test('sip and media take hashes from node:crypto but no randomness, and isIP from node:net but no socket', async () => {
  const broken = await lint({
    'sip/auth/hash.ts': `import { createHash } from 'node:crypto'\nexport const own = createHash\n`,
    'sip/auth/random.ts': `import { randomBytes } from 'node:crypto'\nexport const own = randomBytes\n`,
    'sip/message/address.ts': `import { isIP } from 'node:net'\nexport const own = isIP\n`,
    'sip/message/socket.ts': `import { connect } from 'node:net'\nexport const own = connect\n`,
    'media/rtp/random.ts': `import { randomInt } from 'node:crypto'\nexport const own = randomInt\n`,
    'media/rtp/socket.ts': `import { createServer } from 'node:net'\nexport const own = createServer\n`,
  })
  assert.deepEqual(
    [...broken.values()].map((rules) => rules.length),
    [0, 1, 0, 1, 1, 1],
  )
})

const clocks = {
  date: 'export const own = () => new Date()',
  now: 'export const own = () => Date.now()',
  timeout: 'export const own = (task: () => void) => setTimeout(task, 1)',
  interval: 'export const own = (task: () => void) => setInterval(task, 1)',
  immediate: 'export const own = (task: () => void) => setImmediate(task)',
  performance: 'export const own = () => performance.now()',
  random: 'export const own = () => Math.random()',
  temporal: 'export const own = () => Temporal.Now.instant()',
  global: 'export const own = () => globalThis.performance.now()',
  process: 'export const own = () => process.pid',
  uuid: 'export const own = () => crypto.randomUUID()',
}

test('no clock, timer, randomness or process in the cores', async () => {
  const files: Record<string, string> = {}
  for (const room of ['base', 'contract', 'flows', 'sip', 'media', 'calls']) {
    for (const [name, text] of Object.entries(clocks)) files[`${room}/core/${name}.ts`] = `${text}\n`
  }
  for (const [path, rules] of await lint(files)) assert.equal(rules.length, 1, `${path}: ${rules.join(', ')}`)
})

test('the adapters read the clock', async () => {
  const text = `${clocks.now}\n`
  const broken = await lint({
    'base/clock.ts': text,
    'sip/transport/clock.ts': text,
    'media/socket/clock.ts': text,
    'media/engine/main.ts': text,
  })
  assert.deepEqual([...broken.values()], [[], [], [], []])
})

test('the rules of the house fire', async () => {
  const long = `export const own = [\n${'  0,\n'.repeat(500)}]\n`
  const branches = Array.from({ length: 16 }, (_, n) => `  if (n === ${n}) return ${n}`).join('\n')
  const broken = await lint({
    'server/any.ts': 'export const own = (value: any): unknown => value\n',
    'server/non-null.ts': 'export const own = (list: number[]): number => list[0]!\n',
    'server/floating.ts': 'export function own(work: () => Promise<void>): void {\n  work()\n}\n',
    'server/misused.ts': 'export function own(work: () => Promise<boolean>): number {\n  return work() ? 1 : 2\n}\n',
    'server/switch.ts': "export function own(kind: 'a' | 'b'): void {\n  switch (kind) {\n    case 'a':\n      return\n  }\n}\n",
    'server/default.ts': 'export default 1\n',
    'server/console.ts': "console.log('a')\n",
    'server/long.ts': long,
    'server/params.ts': 'export const own = (a: number, b: number, c: number, d: number, e: number): number => a + b + c + d + e\n',
    'server/complex.ts': `export function own(n: number): number {\n${branches}\n  return n\n}\n`,
    'server/throw.ts': "export function own(): never {\n  throw 'text'\n}\n",
    'server/cycle-a.ts': "import { b } from '#server/cycle-b.ts'\nexport const a = (): unknown => b\n",
    'server/cycle-b.ts': "import { a } from '#server/cycle-a.ts'\nexport const b = (): unknown => a\n",
    'server/relative.ts': "import { own } from './any.ts'\nexport const other = own\n",
    'server/unused-disable.ts': '// oxlint-disable-next-line no-console -- nothing to disable here\nexport const own = 1\n',
  })
  assert.deepEqual(
    broken,
    new Map([
      ['server/any.ts', ['no-explicit-any']],
      ['server/non-null.ts', ['no-non-null-assertion']],
      ['server/floating.ts', ['no-floating-promises']],
      ['server/misused.ts', ['no-misused-promises']],
      ['server/switch.ts', ['switch-exhaustiveness-check']],
      ['server/default.ts', ['no-default-export']],
      ['server/console.ts', ['no-console']],
      ['server/long.ts', ['max-lines']],
      ['server/params.ts', ['max-params']],
      ['server/complex.ts', ['complexity']],
      ['server/throw.ts', ['only-throw-error']],
      ['server/cycle-a.ts', ['no-cycle']],
      ['server/cycle-b.ts', ['no-cycle']],
      ['server/relative.ts', ['no-restricted-imports']],
      ['server/unused-disable.ts', ['directive']],
    ]),
  )
})
