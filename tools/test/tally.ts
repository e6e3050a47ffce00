import type { FileOutcome } from '#tools/test/test-file.ts'

/** What a run of checks and tests came to. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 }

export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, each) => ({ passed: sum.passed + each.passed, failed: sum.failed + each.failed, skipped: sum.skipped + each.skipped }),
    emptyTally,
  )
}

export function tallyOf(file: FileOutcome): Tally {
  const count = (outcome: string): number => file.tests.filter((each) => each.outcome === outcome).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

/** The last line of a run: `12 passed, 0 failed`, and `, 3 skipped` where some were. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
