import { readFile } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Mutant, mutants } from '#test/mutants/table.ts'
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
const sound = new Map<string, boolean>()
let wrong = 0
for (const mutant of chosen) {
  const fault = await verdictOn(mutant)
  if (fault !== null) wrong++
  console.log(`${fault === null ? 'killed' : 'WRONG '}  ${mutant.name}${fault === null ? '' : `: ${fault}`}`)
}
await rm(scratch, { recursive: true, force: true })
console.log(`${chosen.length} mutants, ${chosen.length - wrong} killed, ${wrong} not`)
process.exitCode = wrong === 0 ? 0 : 1

/** Null when the test does what it is for. */
async function verdictOn(mutant: Mutant): Promise<string | null> {
  const text = await readFile(join(project, mutant.file), 'utf8')
  if (text.split(mutant.text).length !== 2) return `${mutant.file} has not, exactly once: ${mutant.text}`
  const key = `${mutant.test.file} ${mutant.test.name}`
  // Replaced by itself: nothing but the break itself may make the test fail.
  if (!sound.has(key)) sound.set(key, passes(await run({ ...mutant, becomes: mutant.text })))
  if (sound.get(key) !== true) return `${key} does not pass on the sound product`
  return passes(await run(mutant)) ? `${key} passes all the same` : null
}

function passes({ tests }: FileOutcome): boolean {
  return tests.some(({ outcome }) => outcome === 'passed') && tests.every(({ outcome }) => outcome !== 'failed')
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
