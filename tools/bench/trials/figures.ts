import { readdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { PrivateSystem } from '#tools/bench/private-system.ts'
import { memoryOf } from '#tools/bench/processes.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** What a system has in hand, from its own metrics. */
export interface InHand {
  calls: number
  dialogs: number
  transactions: number
  /** Transactions that only wait for retransmissions. */
  finished: number
  timers: number
  endpoints: number
  undrained: number
  registrations: number
  heapBytes: number
  shed: number
}

/** Reads the metrics. Throws where nobody answers. */
export async function inHand({ metrics }: PrivateSystem): Promise<InHand> {
  const text = await (await fetch(metrics)).text()
  const figure = (name: string): number => Number(new RegExp(`^centrala_${name} (\\S+)`, 'm').exec(text)?.[1])
  return {
    ...{ calls: figure('calls'), dialogs: figure('sip_dialogs'), transactions: figure('sip_transactions') },
    ...{ finished: figure('sip_transactions_finished'), timers: figure('timers'), endpoints: figure('media_endpoints') },
    ...{ undrained: figure('journal_undrained'), registrations: figure('registrations'), shed: figure('sip_shed') },
    heapBytes: figure('nodejs_heap_size_used_bytes'),
  }
}

/** Waits until the figures are as wanted: what ends does so in its own time. */
export async function untilInHand(system: PrivateSystem, wanted: (figures: InHand) => boolean, limitMs: number): Promise<InHand> {
  const until = performance.now() + limitMs
  for (;;) {
    const figures = await inHand(system)
    if (wanted(figures)) return figures
    if (performance.now() > until) throw new Trouble(`It did not come to rest: ${JSON.stringify(figures)}.`)
    await pause(500)
  }
}

/** Resident megabytes and open files of the processes. */
export function held(system: PrivateSystem): { server: number; engine: number; database: number; files: number; engineFiles: number } {
  const mb = (pid: number): number => memoryOf(pid).rss / 1000
  return {
    server: mb(system.server),
    engine: mb(system.engine),
    database: system.database().reduce((sum, pid) => sum + memoryOf(pid).pss / 1000, 0),
    files: filesOf(system.server),
    engineFiles: filesOf(system.engine),
  }
}

function filesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
