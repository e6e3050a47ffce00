import type { Codec } from '#media/engine.ts'
import { numbers } from '#tools/bench/company.ts'
import { type RtpLoad, type RtpTally, runRtp } from '#tools/bench/load.ts'
import { measure, type Reading } from '#tools/bench/meter.ts'
import type { Bench, Outcome, Row } from '#tools/bench/row.ts'
import { writeSaid } from '#tools/bench/said.ts'

/** Calls whose media flows. */
export const mediaRows: readonly Row[] = [
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
      name: 'conference',
      title: 'a conference of 100, all talking, G.711; CPU',
      asterisk: '28 %',
      freeswitch: '50 %',
      due: '14 %',
      aim: '',
    },
    run: (bench) => withMedia(bench, { mode: 'conf', number: numbers.conference, calls: 100 }, percentOf),
  },
  {
    ...{ name: 'listeners', title: 'a conference of 100, three talking; CPU', asterisk: '', freeswitch: '', due: '', aim: '' },
    run: (bench) => withMedia(bench, { mode: 'conf', number: numbers.conference, calls: 100, talkers: 3 }, percentOf),
  },
  bridged({ name: 'g722', title: '100 calls, G.722 to G.711 and back; CPU' }, { says: 'G722', answers: 'PCMU' }),
  bridged({ name: 'opus', title: '100 calls, Opus to G.711 and back; CPU' }, { says: 'opus', answers: 'PCMU' }),
  bridged(
    { name: 'srtp', title: '100 relayed calls, SRTP on both legs; CPU' },
    { says: 'PCMU', answers: 'PCMU', sealed: ['says', 'answers'] },
  ),
  bridged({ name: 'srtp-one', title: '100 relayed calls, SRTP on one leg; CPU' }, { says: 'PCMU', answers: 'PCMU', sealed: ['says'] }),
]

/** 100 calls of which each side says what was made ahead. */
function bridged(
  words: { name: string; title: string },
  { says, answers, sealed = [] }: { says: Codec; answers: Codec; sealed?: readonly ('says' | 'answers')[] },
): Row {
  const isSealed = (side: 'says' | 'answers'): boolean => sealed.includes(side)
  return {
    ...{ ...words, asterisk: '', freeswitch: '', due: '', aim: '' },
    run: async (bench) => {
      // Set-up, warm-up and the end last some seconds beside what is measured.
      const seconds = bench.seconds + 15
      const what: RtpLoad = {
        ...{ mode: 'bridge', number: isSealed('answers') ? numbers.sealed : numbers.bridge, calls: 100 },
        says: await writeSaid(bench.load.folder, says, { seconds, isSealed: isSealed('says') }),
        answers: await writeSaid(bench.load.folder, answers, { seconds, isSealed: isSealed('answers') }),
      }
      return withMedia(bench, what, percentOf)
    },
  }
}

/** Sets the calls up, measures while their media flows, and ends them. */
export async function withMedia(
  { system, load, core, seconds }: Bench,
  what: RtpLoad,
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
  // Two packets for each call and 20 ms pass a bridge.
  const each = what.mode === 'bridge' ? ` (${((taken.engine * 1e6) / (taken.seconds * what.calls * 100)).toFixed(1)} µs a packet)` : ''
  const note = `${tally.up} calls, ${tally.loss_pct} % lost; server ${percent(taken.server, taken)}, engine ${percent(taken.engine, taken)}${each}; database ${percent(taken.database, taken)}, keeper ${percent(taken.keeper, taken)}`
  return { ...figure(taken, tally), note, foreignPercent: taken.foreignPercent }
}

function percentOf(reading: Reading): { value: number; shown: string } {
  const value = ((reading.server + reading.engine) / reading.seconds) * 100
  return { value, shown: `${value.toFixed(1)} %` }
}

function percent(cpu: number, { seconds }: Reading): string {
  return `${((cpu / seconds) * 100).toFixed(1)} %`
}
