import { readFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mutant } from '#test/mutants/mutant.ts'
import { mutants } from '#test/mutants/table.ts'
import { runTestFile, type FileOutcome } from '#tools/test/test-file.ts'

// `npx centrala mutants [words]`: shows that each test fails on a product that is broken on purpose, and passes on the one that is not. With
// words, only the mutants whose name or file has one of them.
const project = join(import.meta.dirname, '..')
const limitMs = 300_000
const words = process.argv.slice(2)
const chosen = mutants.filter(
  ({ name, file, test }) => words.length === 0 || words.some((word) => `${name} ${file} ${test.file}`.includes(word)),
)
const scratch = await mkdtemp(join(tmpdir(), 'centrala-mutants-'))
const sound = new Map<string, string | null>()
let wrong = 0
for (const mutant of chosen) {
  const { isKilled, why } = await verdictOn(mutant)
  if (!isKilled) wrong++
  console.log(`${isKilled ? 'killed' : 'WRONG '}  ${mutant.name}: ${why}`)
}
await rm(scratch, { recursive: true, force: true })
console.log(`${chosen.length} mutants, ${chosen.length - wrong} killed, ${wrong} not`)
process.exitCode = wrong === 0 ? 0 : 1

/** Whether the test does what it is for. `why`: how it noticed, for a reader to judge whether that is the reason meant; or what is wrong. */
async function verdictOn(mutant: Mutant): Promise<{ isKilled: boolean; why: string }> {
  const text = await readFile(join(project, mutant.file), 'utf8')
  if (text.split(mutant.text).length !== 2) return { isKilled: false, why: `${mutant.file} has not, exactly once: ${mutant.text}` }
  const key = `${mutant.test.file} ${mutant.test.name}`
  // Replaced by itself: nothing but the break itself may make the test fail.
  if (!sound.has(key)) sound.set(key, noticed(await run({ ...mutant, becomes: mutant.text })))
  const calm = sound.get(key) ?? null
  if (calm !== null) return { isKilled: false, why: `${key} does not pass on the sound product: ${calm}` }
  const why = noticed(await run(mutant))
  return why === null ? { isKilled: false, why: `${key} passes all the same` } : { isKilled: true, why }
}

/** How the first test that failed says so, in one line; null when all pass. */
function noticed({ tests }: FileOutcome): string | null {
  const failed = tests.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined) return failed.why.replaceAll(/\s+/g, ' ').slice(0, 200)
  return tests.some(({ outcome }) => outcome === 'passed') ? null : 'no test ran'
}

function run(mutant: Mutant): Promise<FileOutcome> {
  const hook = pathToFileURL(join(project, 'test', 'mutants', 'hook.mjs')).href
  return runTestFile({
    ...{ project, file: mutant.test.file, scratch, limitMs, only: mutant.test.name },
    environment: {
      // No name that begins with CENTRALA_: a system refuses settings that it does not know.
      MUTANT: JSON.stringify({ ...mutant, file: join(project, mutant.file) }),
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${hook}`,
    },
  })
}
