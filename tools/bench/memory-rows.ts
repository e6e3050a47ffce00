import { numbers } from '#tools/bench/company.ts'
import { withMedia } from '#tools/bench/media-rows.ts'
import { memoryOf } from '#tools/bench/processes.ts'
import type { Bench, Outcome, Row } from '#tools/bench/row.ts'

/** What is kept in memory. */
export const memoryRows: readonly Row[] = [
  {
    ...{
      name: 'memory',
      title: 'growth per concurrent bridged call, server / engine',
      asterisk: '315 kB',
      freeswitch: '780 kB',
      due: '60 / 40 kB',
      aim: '',
    },
    warmUp: growth,
    run: growth,
  },
]

/** Resident memory of server and engine now: their sum as it is due, and with what both map, Node's own program above all, counted once. */
export function idleMemory({ system }: Bench): string {
  const [server, engine] = [memoryOf(system.server), memoryOf(system.engine)]
  const mb = (kB: number): string => `${Math.round(kB / 1000)} MB`
  return `${mb(server.rss + engine.rss)} resident (server ${mb(server.rss)}, engine ${mb(engine.rss)}); ${mb(server.rss + engine.own)} when pages that both map count once`
}

/** How much more memory the processes take with 200 bridged calls than before them. */
async function growth(bench: Bench): Promise<Outcome> {
  const calls = 200
  const { system } = bench
  const now = (): { server: number; engine: number } => ({ server: memoryOf(system.server).rss, engine: memoryOf(system.engine).rss })
  const before = now()
  let during = before
  const outcome = await withMedia(bench, { mode: 'bridge', number: numbers.bridge, calls }, () => {
    during = now()
    return { value: 0, shown: '' }
  })
  const each = (kind: 'server' | 'engine'): number => Math.max(0, (during[kind] - before[kind]) / calls)
  return { ...outcome, value: each('server'), shown: `${each('server').toFixed(0)} / ${each('engine').toFixed(0)} kB` }
}
