import type { Bench } from '#tools/bench/row.ts'

/** What a trial may be told. Absent: as it thinks right. */
export interface TrialOptions {
  calls?: number | undefined
  /** Calls a second. */
  rate?: number | undefined
  seconds?: number | undefined
  say: (line: string) => void
}

/** A measurement that takes minutes and tells a story of its own instead of one figure. Run only when it is named. */
export interface Trial {
  name: string
  /** Settings of its system that are not the usual ones. */
  settings?: Readonly<Record<string, string>>
  run(bench: Bench, options: TrialOptions): Promise<void>
}
