import { numbers } from '#tools/bench/company.ts'
import { runSipp, type SippLoad } from '#tools/bench/load.ts'
import { measure } from '#tools/bench/meter.ts'
import type { Bench, Outcome, Row } from '#tools/bench/row.ts'

/** Calls and registrations without media. */
export const signallingRows: readonly Row[] = [
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
]

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
