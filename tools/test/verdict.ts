import type { TestOutcome } from '#tools/test/test-file.ts'

/** What a test said of a broken product. */
export type Verdict =
  /** It failed, and said why as it was meant to. */
  | 'killed'
  /** It passed: the test is blind. */
  | 'survived'
  /** It failed, but noticed something else. */
  | 'misread'
  /** Nothing was shown: nothing was broken, the product did not start, or the test did not come to an end. */
  | 'error'

/** How a test file went that was run on a broken product. */
export interface Run {
  tests: readonly TestOutcome[]
  /** Whether the file that is broken was read by the program that is meant. */
  isBroken: boolean
}

/** `why`: for a reader, in one line. */
export function verdictOf({ tests, isBroken }: Run, notices: RegExp): { verdict: Verdict; why: string } {
  const failed = tests.find(({ outcome }) => outcome === 'failed')
  const why = failed === undefined ? '' : said(failed)
  if (NOTHING_SHOWN.test(why)) return { verdict: 'error', why }
  if (!isBroken) return { verdict: 'error', why: `the program meant does not read the broken file; ${why}` }
  if (failed !== undefined) return { verdict: notices.test(why) ? 'killed' : 'misread', why }
  const hasPassed = tests.some(({ outcome }) => outcome === 'passed')
  return hasPassed ? { verdict: 'survived', why: 'passes all the same' } : { verdict: 'error', why: 'no test ran' }
}

/** What a test that failed says, in one line: its fault without the places in the code, what was found and what was expected included. */
export function said({ why }: TestOutcome): string {
  const lines = why.split('\n').filter((line) => !/^\s+at /.test(line))
  return lines.join(' ').replaceAll(/\s+/g, ' ').trim()
}

/** As the running system of a test and the runner of test files put it. */
const NOTHING_SHOWN = /^Error: the system ended (?:with code \S+ instead|without)|^did not end within|^exited with code|^was killed by/
