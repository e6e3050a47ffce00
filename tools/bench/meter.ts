import { cpuSeconds, idleSeconds } from '#tools/bench/processes.ts'
import type { PrivateSystem } from '#tools/bench/private-system.ts'

/** CPU over a stretch of time, from the operating system's accounting. */
export interface Reading {
  seconds: number
  server: number
  engine: number
  database: number
  keeper: number
  /** Other work on the measured core, percent of the stretch. */
  foreignPercent: number
}

/** Begins to measure; the result ends it. */
export function measure(system: PrivateSystem, core: number): () => Reading {
  const read = () => ({
    at: performance.now() / 1000,
    idle: idleSeconds(core),
    server: cpuSeconds([system.server]),
    engine: cpuSeconds([system.engine]),
    database: cpuSeconds(system.database()),
    keeper: cpuSeconds([system.keeper]),
  })
  const before = read()
  return () => {
    const after = read()
    const seconds = after.at - before.at
    const server = after.server - before.server
    const engine = after.engine - before.engine
    const idle = after.idle - before.idle
    return {
      ...{ seconds, server, engine },
      // A backend that has ended takes its account along: the figure is never below nothing.
      database: Math.max(0, after.database - before.database),
      keeper: after.keeper - before.keeper,
      foreignPercent: Math.max(0, ((seconds - idle - server - engine) / seconds) * 100),
    }
  }
}
