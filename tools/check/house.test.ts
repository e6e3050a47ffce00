import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRooms } from '#tools/check/rooms.ts'

const project = join(import.meta.dirname, '..', '..')

/** Every file that git knows or would take, text or not. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: project, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(project, file)))
const isText = (file: string): boolean =>
  /\.(ts|tsx|mjs|json|md|ya?ml|css|html|sh|config)$|^\.ci\/run$|^LICENSE$/.test(file) && file !== 'package-lock.json'
const textOf = (file: string): string => readFileSync(join(project, file), 'utf8')
const linesOf = (file: string): number => textOf(file).split('\n').length - 1
const isSource = (file: string): boolean => /\.(ts|tsx|mjs|css)$/.test(file)

test('no source file is longer than 500 lines', () => {
  const long = files.filter((file) => isSource(file) && linesOf(file) > 500)
  assert.deepEqual(long, [])
})

test('base stays below 1,000 lines, its tests not counted', () => {
  const lines = files.filter((file) => file.startsWith('base/') && isSource(file) && !file.endsWith('.test.ts')).map(linesOf)
  const sum = lines.reduce((total, each) => total + each, 0)
  assert.ok(sum <= 1_000, `base has ${sum} lines`)
})

test('every room has a README of at most 60 lines that says its invariant in bold', () => {
  const rooms = readRooms(textOf('ARCHITECTURE.md'))
  for (const { name } of rooms.filter((room) => files.some((file) => file.startsWith(`${room.name}/`)))) {
    const readme = `${name}/README.md`
    assert.ok(files.includes(readme), `${readme} is missing`)
    assert.ok(linesOf(readme) <= 60, `${readme} is longer than 60 lines`)
    assert.match(textOf(readme), /\*\*[^*]{20,}\*\*/, `${readme} has no invariant in bold`)
  }
})

test("no path of somebody's machine stands in the tree", () => {
  // A person's home, or a top-level folder that no system has; a placeholder such as /home/<you> is fine.
  const machinePath = /(?<![\w./~-])\/(?:home\/[a-z]|Users\/[A-Za-z]|root\/[\w.]|work\/[\w.]|mnt\/[\w.]|workspace\/[\w.])/
  const found = files
    .filter((file) => isText(file) && file !== 'tools/check/house.test.ts')
    .flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, index) => (machinePath.test(line) ? [`${file}:${index + 1}`] : [])),
    )
  assert.deepEqual(found, [])
})

test('every file that the docs name exists', () => {
  const rooms = 'base|sip|media|calls|flows|contract|server|web|test|docs|tools|examples'
  const named = new RegExp(`\`((?:${rooms})/[\\w./-]+)\``, 'g')
  const missing = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...textOf(file).matchAll(named)]
        .map((match) => match[1] ?? '')
        .filter((path) => !existsSync(join(project, path)))
        .map((path) => `${file}: ${path}`),
    )
  assert.deepEqual(missing, [])
})

test('every folder of a room stands in its README, and every page about a standard in their index', () => {
  const folders = new Set(files.flatMap((file) => /^((?:sip|media|server)\/[\w-]+)\//.exec(file)?.[1] ?? []))
  const untold = [...folders].filter((folder) => !textOf(`${folder.split('/')[0]}/README.md`).includes(`\`${folder}\``))
  assert.deepEqual(untold, [])
  const pages = files.flatMap((file) => /^docs\/rfc\/([\w-]+\.md)$/.exec(file)?.[1] ?? []).filter((page) => page !== 'README.md')
  const index = textOf('docs/rfc/README.md')
  assert.deepEqual(
    pages.filter((page) => !index.includes(`](${page})`)),
    [],
  )
})

test('every link between the docs leads somewhere', () => {
  const broken = files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...textOf(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
        .map((match) => match[1] ?? '')
        .filter((path) => !existsSync(join(project, file, '..', path)))
        .map((path) => `${file}: ${path}`),
    )
  assert.deepEqual(broken, [])
})
