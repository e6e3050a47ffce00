import { numbers } from '#tools/bench/company.ts'
import { highestRate, holds } from '#tools/bench/highest-rate.ts'
import { runSipp, type SippLoad, type SippTally } from '#tools/bench/load.ts'
import { measure } from '#tools/bench/meter.ts'
import type { Bench, Outcome, Row } from '#tools/bench/row.ts'

type Words = Pick<Row, 'name' | 'title' | 'asterisk' | 'freeswitch' | 'due' | 'aim'>
type What = Omit<SippLoad, 'seconds'>

const answered: What = { scenario: 'uac', number: numbers.answer, rate: 200, holdMs: 500 }
const bridged: What = { scenario: 'uac', number: numbers.bridge, rate: 60, holdMs: 2000, bridged: true }
const registered: What = { scenario: 'register', number: 'register', rate: 300, holdMs: 0 }

/** Calls and registrations without media: at the highest rate that holds, as the peers were measured, and at a calm one. */
export const signallingRows: readonly Row[] = [
  atMost(
    {
      ...{ name: 'answer', title: 'INVITE answered, ACK, BYE; CPU per call at the highest rate that holds' },
      ...{ asterisk: '1.8 ms (476/s)', freeswitch: '4.9 to 5.6 ms (201/s)', due: '0.9 ms', aim: '0.4 ms' },
    },
    answered,
  ),
  calmly('answer', answered),
  atMost(
    {
      ...{ name: 'bridge', title: 'bridged call, no media sent; CPU per call at the highest rate that holds' },
      ...{ asterisk: '4.8 to 6.4 ms (216/s)', freeswitch: '22 to 26 ms (50/s)', due: '2 ms', aim: '0.8 ms' },
    },
    bridged,
  ),
  calmly('bridge', bridged),
  atMost(
    {
      ...{ name: 'register', title: 'REGISTER with digest (MD5); CPU each at the highest rate that holds' },
      ...{ asterisk: '0.4 to 0.95 ms (1,322 to 1,919/s)', freeswitch: '2.3 to 3.9 ms (438/s)', due: '0.35 ms', aim: '0.1 ms' },
    },
    registered,
  ),
  calmly('register', registered),
]

/** By how much a rate is lowered that was found by luck: that holds no longer when it is measured. */
const STEP_DOWN = 0.9

/** Warming up is the search. */
function atMost(words: Words, what: What): Row {
  let rate = what.rate
  return {
    ...words,
    warmUp: async (bench) => {
      rate = await highestRate(what.rate, (at) => runSipp(bench.load, { ...what, rate: at, seconds: bench.seconds }))
    },
    run: async (bench) => {
      for (;;) {
        const run = await once(bench, { ...what, rate })
        if (holds(run.tally) || rate <= what.rate) return run
        rate = Math.max(what.rate, Math.round(rate * STEP_DOWN))
      }
    },
  }
}

/** The same at a rate that leaves the machine mostly idle, where waking up, with cold caches, is most of the cost. */
function calmly(name: string, what: What): Row {
  const words = { name: `${name}-calm`, title: `the same at ${what.rate}/s`, asterisk: '', freeswitch: '', due: '', aim: '' }
  return { ...words, warmUp: (bench) => once(bench, what), run: (bench) => once(bench, what) }
}

async function once({ system, load, core, seconds }: Bench, what: What): Promise<Outcome & { tally: SippTally }> {
  const stop = measure(system, core)
  const tally = await runSipp(load, { ...what, seconds })
  const reading = stop()
  const each = (cpu: number): number => (cpu * 1000) / Math.max(1, tally.succeeded)
  const value = each(reading.server + reading.engine)
  const parts = `${what.rate}/s; server ${each(reading.server).toFixed(2)}, engine ${each(reading.engine).toFixed(2)}; database ${each(reading.database).toFixed(2)}, keeper ${each(reading.keeper).toFixed(2)}`
  const trouble = tally.failed + tally.retransmissions === 0 ? '' : `; ${tally.failed} failed, ${tally.retransmissions} retransmissions`
  return { value, shown: `${value.toFixed(2)} ms`, note: parts + trouble, foreignPercent: reading.foreignPercent, tally }
}
