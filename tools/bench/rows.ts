import { numbers } from '#tools/bench/company.ts'
import { type Load, type RtpTally, runRtp, runSipp, type SippLoad } from '#tools/bench/load.ts'
import { measure, type Reading } from '#tools/bench/meter.ts'
import type { PrivateSystem } from '#tools/bench/private-system.ts'
import { memoryOf } from '#tools/bench/processes.ts'

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

export const rows: readonly Row[] = [
  perCall(
    {
      name: 'answer',
      title: 'INVITE answered, ACK, BYE; CPU per call',
      asterisk: '1.8 ms',
      freeswitch: '4.9 to 5.6 ms',
      due: '0.9 ms',
      aim: '0.4 ms',
    },
    { scenario: 'uac', number: numbers.answer, rate: 200, holdMs: 500 },
  ),
  perCall(
    {
      name: 'bridge',
      title: 'bridged call, no media sent; CPU per call',
      asterisk: '4.8 to 6.4 ms',
      freeswitch: '22 to 26 ms',
      due: '2 ms',
      aim: '0.8 ms',
    },
    { scenario: 'uac', number: numbers.bridge, rate: 60, holdMs: 2000, bridged: true },
  ),
  perCall(
    {
      name: 'register',
      title: 'REGISTER with digest (MD5); CPU each',
      asterisk: '0.4 to 0.95 ms',
      freeswitch: '2.3 to 3.9 ms',
      due: '0.35 ms',
      aim: '0.1 ms',
    },
    { scenario: 'register', number: 'register', rate: 300, holdMs: 0 },
  ),
  {
    ...{
      name: 'relay',
      title: '100 bridged calls, G.711 both ways; CPU',
      asterisk: '26 to 41 %',
      freeswitch: '33 to 40 %',
      due: '16 %',
      aim: '9 %',
    },
    run: (bench) => withMedia(bench, { mode: 'bridge', number: numbers.bridge, calls: 100 }, percentOf),
  },
  {
    ...{
      name: 'delay',
      title: 'added delay of that relay at 200 calls, p50 / p99',
      asterisk: '0.3 / 1.5 to 3.2 ms',
      freeswitch: '0.28 / 1.3 ms',
      due: '0.3 / 2 ms',
      aim: '0.15 / 0.5 ms',
    },
    run: (bench) =>
      withMedia(bench, { mode: 'bridge', number: numbers.bridge, calls: 200 }, (_, tally) => {
        const [p50, , p99] = tally.delay_ms_p50_p90_p99_p999 ?? [Number.NaN, 0, Number.NaN, 0]
        return { value: p50, shown: `${p50.toFixed(2)} / ${p99.toFixed(2)} ms` }
      }),
  },
  {
    ...{ name: 'prompt', title: '100 callers listening to a prompt; CPU', asterisk: '21 %', freeswitch: '30 %', due: '10 %', aim: '5 %' },
    run: (bench) => withMedia(bench, { mode: 'recv', number: numbers.prompt, calls: 100 }, percentOf),
  },
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

/** Resident memory of server and engine now, with the thousand phones registered. */
export function idleMemory({ system }: Bench): string {
  const [server, engine] = [memoryOf(system.server), memoryOf(system.engine)]
  const mb = (kB: number): string => `${Math.round(kB / 1000)} MB`
  return `${mb(server.rss + engine.rss)} resident (server ${mb(server.rss)}, engine ${mb(engine.rss)}); ${mb(server.pss + engine.pss)} when pages shared with other processes count by share`
}

function perCall(words: Omit<Row, 'run'>, what: Omit<SippLoad, 'seconds'>): Row {
  const once = async ({ system, load, core }: Bench, seconds: number): Promise<Outcome> => {
    const stop = measure(system, core)
    const tally = await runSipp(load, { ...what, seconds })
    const reading = stop()
    const each = (cpu: number): number => (cpu * 1000) / Math.max(1, tally.succeeded)
    const value = each(reading.server + reading.engine)
    const parts = `server ${each(reading.server).toFixed(2)}, engine ${each(reading.engine).toFixed(2)}; database ${each(reading.database).toFixed(2)}, keeper ${each(reading.keeper).toFixed(2)}`
    const trouble = tally.failed + tally.retransmissions === 0 ? '' : `; ${tally.failed} failed, ${tally.retransmissions} retransmissions`
    return { value, shown: `${value.toFixed(2)} ms`, note: parts + trouble, foreignPercent: reading.foreignPercent }
  }
  return { ...words, warmUp: (bench) => once(bench, bench.seconds), run: (bench) => once(bench, bench.seconds) }
}

async function withMedia(
  { system, load, core, seconds }: Bench,
  what: { mode: 'bridge' | 'recv'; number: string; calls: number },
  figure: (reading: Reading, tally: RtpTally) => { value: number; shown: string },
): Promise<Outcome> {
  let stop = (): Reading | null => null
  let reading: Reading | null = null
  const tally = await runRtp(
    load,
    { ...what, seconds },
    { begins: () => void (stop = measure(system, core)), ends: () => void (reading = stop()) },
  )
  const taken = reading as Reading | null
  if (taken === null) throw new Error('no media was measured')
  const note = `${tally.up} calls, ${tally.loss_pct} % lost; server ${percent(taken.server, taken)}, engine ${percent(taken.engine, taken)}; database ${percent(taken.database, taken)}, keeper ${percent(taken.keeper, taken)}`
  return { ...figure(taken, tally), note, foreignPercent: taken.foreignPercent }
}

function percentOf(reading: Reading): { value: number; shown: string } {
  const value = ((reading.server + reading.engine) / reading.seconds) * 100
  return { value, shown: `${value.toFixed(1)} %` }
}

function percent(cpu: number, { seconds }: Reading): string {
  return `${((cpu / seconds) * 100).toFixed(1)} %`
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
