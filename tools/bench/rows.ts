import { mediaRows } from '#tools/bench/media-rows.ts'
import { memoryRows } from '#tools/bench/memory-rows.ts'
import type { Row } from '#tools/bench/row.ts'
import { signallingRows } from '#tools/bench/signalling-rows.ts'

/** The whole table, in order. */
export const rows: readonly Row[] = [...signallingRows, ...mediaRows, ...memoryRows]
