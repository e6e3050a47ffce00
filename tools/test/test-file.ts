import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** How one test ended. `why`: the reason to skip, or the fault. */
export interface TestOutcome {
  name: string
  outcome: 'passed' | 'failed' | 'skipped'
  why: string
  ms: number
}

export interface FileOutcome {
  file: string
  ms: number
  tests: TestOutcome[]
  /** What the file printed; of interest when something failed. */
  output: string
}

export interface FileRun {
  project: string
  file: string
  /** A folder for the run's own files. */
  scratch: string
  /** A file that takes longer is killed and counts as a failure: a test that hangs, or something left open. */
  limitMs: number
  /** Runs only the tests whose name matches this regular expression. */
  only?: string
  /** Over our own. */
  environment?: Readonly<Record<string, string>>
}

const reporter = join(import.meta.dirname, 'event-reporter.mjs')
/** What is kept of a file's output. */
const outputLimit = 20_000
let runs = 0

/** Runs one test file in a process of its own. */
export async function runTestFile(run: FileRun): Promise<FileOutcome> {
  const events = join(run.scratch, `events-${++runs}`)
  const startedAt = performance.now()
  const { output, fault } = await runNode(run, events)
  const ms = performance.now() - startedAt
  const tests = parseEvents(await readFile(events, 'utf8').catch(() => ''))
  await rm(events, { force: true })
  const isExplained = tests.some((each) => each.outcome === 'failed')
  if (fault !== null && !isExplained) tests.push({ name: 'the file as a whole', outcome: 'failed', why: fault, ms })
  return { file: run.file, ms, tests, output }
}

function runNode(run: FileRun, events: string): Promise<{ output: string; fault: string | null }> {
  const only = run.only === undefined ? [] : [`--test-name-pattern=${run.only}`]
  const report = [`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...report, ...only, run.file], {
    ...{ cwd: run.project, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    env: { ...process.env, ...run.environment },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => void (output = (output + text).slice(-outputLimit)))
  }
  return new Promise((resolve) => {
    let isLate = false
    const limit = setTimeout(() => {
      isLate = true
      killGroup(child.pid)
    }, run.limitMs)
    child.on('exit', (code, signal) => {
      clearTimeout(limit)
      // A test's own processes end with it; a forgotten one must not live on, nor hold the pipes open.
      killGroup(child.pid)
      const ending = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
      const late = `did not end within ${run.limitMs / 1_000} s: a test hangs, or something is left open`
      resolve({ output, fault: isLate ? late : code === 0 ? null : ending })
    })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group is empty already.
  }
}

function parseEvents(text: string): TestOutcome[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): TestOutcome => JSON.parse(line))
}
