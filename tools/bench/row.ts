import type { Load } from '#tools/bench/load.ts'
import type { PrivateSystem } from '#tools/bench/private-system.ts'

/** What a row measures with. */
export interface Bench {
  system: PrivateSystem
  load: Load
  /** The core that server and engine have. */
  core: number
  seconds: number
}

/** One figure of one run. */
export interface Outcome {
  /** What is compared: ms, percent, kB. */
  value: number
  /** As it stands in the table. */
  shown: string
  note: string
  foreignPercent: number
}

/** A row of the table: what is measured, what others take and what is due. */
export interface Row {
  name: string
  title: string
  asterisk: string
  freeswitch: string
  due: string
  aim: string
  /** Run once before it counts, so that the compiler has done its work. */
  warmUp?: (bench: Bench) => Promise<unknown>
  run(bench: Bench): Promise<Outcome>
}
