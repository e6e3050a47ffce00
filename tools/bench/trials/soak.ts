import { numbers } from '#tools/bench/company.ts'
import { runSipp } from '#tools/bench/load.ts'
import type { Bench } from '#tools/bench/row.ts'
import { held, untilInHand } from '#tools/bench/trials/figures.ts'
import type { Trial } from '#tools/bench/trials/trial.ts'

/** Of the calls so many are bridged to a carrier; the others are answered by a flow. */
const bridgedShare = 0.25
/** What waits for retransmissions of a peer waits for 32 s. */
const restMs = 60_000

/** Calls by the hundred thousand: what the processes hold after each part of them, when all have ended. */
export const soak: Trial = {
  name: 'soak',
  async run(bench, { calls = 100_000, rate = 160, say }) {
    await runSipp(bench.load, { scenario: 'register', number: 'register', rate: 200, seconds: 5, holdMs: 0 })
    say(
      '| calls | failed | server | engine | database | heap of the server | files of server / engine | left |\n|---|---|---|---|---|---|---|---|',
    )
    let done = 0
    let failed = 0
    for (const upTo of [calls / 50, calls / 10, calls / 4, calls / 2, (calls * 3) / 4, calls]) {
      failed += await mixed(bench, upTo - done, rate)
      done = upTo
      const left = await untilInHand(
        bench.system,
        ({ calls, dialogs, transactions, finished, endpoints, undrained }) =>
          calls + dialogs + transactions + finished + endpoints + undrained === 0,
        restMs,
      )
      const { server, engine, database, files, engineFiles } = held(bench.system)
      const mb = (value: number): string => `${value.toFixed(1)} MB`
      const rest = `${left.timers} timers, ${left.registrations} registrations, nothing else`
      say(
        `| ${done} | ${failed} | ${mb(server)} | ${mb(engine)} | ${mb(database)} | ${mb(left.heapBytes / 1e6)} | ${files} / ${engineFiles} | ${rest} |`,
      )
    }
  },
}

/** Both kinds at once. Gives how many failed. */
async function mixed({ load }: Bench, calls: number, rate: number): Promise<number> {
  const bridged = Math.round(calls * bridgedShare)
  const seconds = calls / rate
  const each = (count: number): { rate: number; seconds: number } => ({
    rate: Math.max(1, Math.round(count / seconds)),
    seconds: count / Math.max(1, Math.round(count / seconds)),
  })
  const [answered, joined] = await Promise.all([
    runSipp(load, { scenario: 'uac', number: numbers.answer, holdMs: 500, ...each(calls - bridged) }),
    runSipp(load, { scenario: 'uac', number: numbers.bridge, holdMs: 2_000, bridged: true, port: 5082, ...each(bridged) }),
  ])
  return answered.failed + joined.failed
}
