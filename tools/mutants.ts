import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mutant } from '#test/mutants/mutant.ts'
import { mutants } from '#test/mutants/table.ts'
import { said, type Verdict, verdictOf } from '#tools/test/verdict.ts'
import { runTestFile, type TestOutcome } from '#tools/test/test-file.ts'

// `npx centrala mutants [words]`: shows that each test fails on a product that is broken on purpose, says why as it should, and passes on the
// one that is not broken. With words, only the mutants whose name or file has one of them.
const project = join(import.meta.dirname, '..')
const limitMs = 300_000
const shown = 600
const startedAt = performance.now()
const words = process.argv.slice(2)
const chosen = mutants.filter(
  ({ name, file, test }) => words.length === 0 || words.some((word) => `${name} ${file} ${test.file}`.includes(word)),
)
const scratch = await mkdtemp(join(tmpdir(), 'centrala-mutants-'))
const sound = new Map<string, string | null>()
const counts: Record<Verdict, number> = { killed: 0, survived: 0, misread: 0, error: 0 }
for (const mutant of chosen) {
  const { verdict, why } = await verdictOn(mutant)
  counts[verdict]++
  console.log(`${(verdict === 'killed' ? verdict : verdict.toUpperCase()).padEnd(8)}  ${mutant.name}: ${why.slice(0, shown)}`)
}
await rm(scratch, { recursive: true, force: true })
const minutes = Math.ceil((performance.now() - startedAt) / 60_000)
const { killed, survived, misread, error } = counts
console.log(
  `${chosen.length} mutants: ${killed} killed, ${survived} survived, ${misread} noticed as something else, ${error} in error; ${minutes} min`,
)
process.exitCode = chosen.length > 0 && killed === chosen.length ? 0 : 1

/** Whether the test does what it is for, and what it said. */
async function verdictOn(mutant: Mutant): Promise<{ verdict: Verdict; why: string }> {
  const text = await readFile(join(project, mutant.file), 'utf8')
  if (text.split(mutant.text).length !== 2) return { verdict: 'error', why: `${mutant.file} has not, exactly once: ${mutant.text}` }
  const key = `${mutant.test.file} ${mutant.test.name}`
  // Replaced by itself: nothing but the break itself may make the test fail.
  if (!sound.has(key)) sound.set(key, faultOf((await run({ ...mutant, becomes: mutant.text })).tests))
  const fault = sound.get(key) ?? null
  if (fault !== null) return { verdict: 'error', why: `${key} does not pass on the sound product: ${fault}` }
  return verdictOf(await run(mutant), mutant.notices)
}

/** Null: tests ran, and all passed. */
function faultOf(tests: readonly TestOutcome[]): string | null {
  const failed = tests.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined) return said(failed)
  return tests.some(({ outcome }) => outcome === 'passed') ? null : 'no test ran'
}

async function run({ file, text, becomes, in: program, test }: Mutant): Promise<{ tests: readonly TestOutcome[]; isBroken: boolean }> {
  const hook = pathToFileURL(join(project, 'test', 'mutants', 'hook.mjs')).href
  const mark = join(scratch, 'broken')
  await rm(mark, { force: true })
  const { tests } = await runTestFile({
    ...{ project, file: test.file, scratch, limitMs, only: test.name },
    environment: {
      // No name that begins with CENTRALA_: a system refuses settings that it does not know.
      MUTANT: JSON.stringify({ in: program, file: join(project, file), text, becomes, mark }),
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${hook}`,
    },
  })
  return { tests, isBroken: existsSync(mark) }
}
