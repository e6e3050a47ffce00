import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { prepareLoad } from '#tools/bench/load.ts'
import { idleMemory } from '#tools/bench/memory-rows.ts'
import { openPrivateSystem } from '#tools/bench/private-system.ts'
import type { Bench, Outcome, Row } from '#tools/bench/row.ts'
import { rows } from '#tools/bench/rows.ts'
import { trials } from '#tools/bench/trials/trials.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

// `npm run bench [row...] [--seconds N] [--runs N]`: a private system on core 0, the load on core 1; medians of the runs that were not
// disturbed by other work on core 0. `npm run bench soak|overload|reregister [--calls N] [--rate N] [--seconds N]`: what takes minutes.

const project = join(import.meta.dirname, '..')
const SERVER_CORE = 0
const LOAD_CORE = 1
/** A run with more of other work than this on its core does not count. */
const MOST_FOREIGN_PERCENT = 10

await runCommand(main)

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { seconds: { type: 'string' }, runs: { type: 'string', default: '3' }, calls: { type: 'string' }, rate: { type: 'string' } },
  })
  const chosen = rows.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const tried = trials.filter(({ name }) => positionals.includes(name))
  const known = [...rows, ...trials].map(({ name }) => name)
  const unknown = positionals.filter((name) => !known.includes(name))
  if (unknown.length > 0) throw new Trouble(`No such row: ${unknown.join(', ')}. There are: ${known.join(', ')}.`)
  if (cpus().length < 2) throw new Trouble('The bench needs two cores: one for the system, one for the load.')
  const load = prepareLoad(join(project, '.cache/bench'), LOAD_CORE, '127.0.30.1:25760')
  await using system = await openPrivateSystem(project, SERVER_CORE, Object.assign({}, ...tried.map(({ settings }) => settings)))
  const bench: Bench = { system, load, core: SERVER_CORE, seconds: Number(values.seconds ?? 15) }
  say(`${new Date().toISOString()}, ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`)
  const given = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
  const options = { calls: given(values.calls), rate: given(values.rate), seconds: given(values.seconds), say }
  for (const trial of tried) await trial.run(bench, options)
  if (chosen.length === 0) return 0
  say('| | Asterisk | FreeSWITCH | due | aim | Centrala | |\n|---|---|---|---|---|---|---|')
  for (const row of chosen) await present(row, bench, Number(values.runs))
  say(`\nMemory after these rows: ${idleMemory(bench)}.`)
  return 0
}

async function present(row: Row, bench: Bench, runs: number): Promise<void> {
  await row.warmUp?.(bench)
  const outcomes: Outcome[] = []
  for (let i = 0; i < runs; i++) {
    await pause(1000)
    outcomes.push(await row.run(bench))
  }
  const quiet = outcomes.filter(({ foreignPercent }) => foreignPercent <= MOST_FOREIGN_PERCENT)
  const median = (quiet.length > 0 ? quiet : outcomes).toSorted((a, b) => a.value - b.value)
  const middle = median[(median.length - 1) >> 1]
  if (middle === undefined) return
  const worth = quiet.length > 0 ? `median of ${quiet.length}` : `disturbed: ${middle.foreignPercent.toFixed(0)} % other work`
  say(`| ${row.title} | ${row.asterisk} | ${row.freeswitch} | ${row.due} | ${row.aim} | ${middle.shown} | ${middle.note}; ${worth} |`)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
