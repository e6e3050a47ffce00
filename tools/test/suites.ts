import { globSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { addTallies, type Tally, tallyLine, tallyOf } from '#tools/test/tally.ts'
import { type FileOutcome, runTestFile } from '#tools/test/test-file.ts'

/** Tests that are run together. */
export interface Suite {
  name: string
  /** Which files, relative to the project. */
  glob: string
  /** Files at a time. */
  concurrency: number
  limitMs: number
}

/** Beside the code, on virtual time. */
export const unitTests: Suite = {
  name: 'unit tests',
  glob: '{base,sip,media,calls,flows,contract,server,tools,web}/**/*.test.ts',
  concurrency: availableParallelism(),
  limitMs: 120_000,
}

/** Whole systems on real ports with real audio: few at a time, since they need the machine to keep the beat. */
export const endToEndTests: Suite = { name: 'end-to-end tests', glob: 'test/**/*.test.ts', concurrency: 2, limitMs: 600_000 }

/** Runs a suite, or those of its files whose path has one of `words`, and prints how each file went. */
export async function runSuite(project: string, suite: Suite, words: readonly string[] = []): Promise<Tally> {
  const all = globSync(suite.glob, { cwd: project, exclude: (name) => name === 'node_modules' || name === 'dist' }).toSorted()
  const files = words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)))
  const startedAt = performance.now()
  const scratch = await mkdtemp(join(tmpdir(), 'centrala-test-'))
  const outcomes: FileOutcome[] = []
  const queue = [...files]
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runTestFile({ project, file, scratch, limitMs: suite.limitMs })
      outcomes.push(outcome)
      printFile(outcome)
    }
  }
  await Promise.all(Array.from({ length: suite.concurrency }, work))
  await rm(scratch, { recursive: true, force: true })
  const tally = addTallies(outcomes.map(tallyOf))
  console.log(`${suite.name}: ${files.length} files, ${tallyLine(tally)} in ${seconds(performance.now() - startedAt)}\n`)
  return tally
}

function printFile(outcome: FileOutcome): void {
  const tally = tallyOf(outcome)
  const mark = tally.failed > 0 ? 'FAIL' : 'ok  '
  console.log(`${mark} ${seconds(outcome.ms).padStart(7)}  ${outcome.file}  ${tallyLine(tally)}`)
  for (const test of outcome.tests) {
    if (test.outcome === 'failed') console.log(indent(`FAIL ${test.name}\n${indent(test.why)}`))
    if (test.outcome === 'skipped') console.log(indent(`skipped: ${test.name}${test.why === '' ? '' : ` (${test.why})`}`))
  }
  if (tally.failed > 0 && outcome.output.trim() !== '') console.log(indent(`it printed:\n${indent(outcome.output.trimEnd())}`))
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '     ')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
