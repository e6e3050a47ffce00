import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { attack } from '#tools/fuzz/attack.ts'
import type { FuzzFailure, FuzzReport } from '#tools/fuzz/loop.ts'
import { fuzzTargets } from '#tools/fuzz/targets.ts'
import { runCommand } from '#tools/lib/trouble.ts'

// `npm run fuzz [minutes] [target...]`: attacks the parsers with changed inputs, ten minutes shared by all targets if nothing is said.
// `--seed N` repeats an attack; `--input FILE` feeds one saved input to the named target.

const folder = join(import.meta.dirname, '../.cache/fuzz')
const DEFAULT_MINUTES = 10

await runCommand(main)

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { seed: { type: 'string' }, input: { type: 'string' } },
  })
  const minutes = Number(positionals[0] ?? DEFAULT_MINUTES)
  const names = Number.isNaN(minutes) ? positionals : positionals.slice(1)
  const unknown = names.filter((name) => fuzzTargets[name] === undefined)
  if (unknown.length > 0) {
    say(`No such target: ${unknown.join(', ')}. There are: ${Object.keys(fuzzTargets).join(', ')}.`)
    return 2
  }
  if (values.input !== undefined) return replay(values.input, names[0])
  const targets = names.length > 0 ? names : Object.keys(fuzzTargets)
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000)
  return attackAll(targets, seed, ((Number.isNaN(minutes) ? DEFAULT_MINUTES : minutes) * 60_000) / targets.length)
}

async function attackAll(targets: readonly string[], seed: number, milliseconds: number): Promise<number> {
  say(`Fuzzing ${targets.join(', ')}, ${(milliseconds / 1000).toFixed(0)} s each, seed ${seed}.`)
  let failed = 0
  for (const target of targets) {
    const report = await attack(target, seed, milliseconds)
    present(report, seed, milliseconds)
    if (report.failures.length > 0) failed++
  }
  say(`${targets.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

async function replay(file: string, name: string | undefined): Promise<number> {
  const load = name === undefined ? undefined : fuzzTargets[name]
  if (load === undefined) {
    say('Name the target that the input is for.')
    return 2
  }
  const target = await load()
  const startedAt = performance.now()
  say(`${target.name}: ${target.run(readFileSync(file))}`)
  say(`${(performance.now() - startedAt).toFixed(1)} ms`)
  return 0
}

function present(report: FuzzReport, seed: number, milliseconds: number): void {
  const { target, executions, outcomes, slowestMs, grownBytes, failures } = report
  const rate = Math.round((executions * 1000) / milliseconds)
  const growth = grownBytes === null ? 'growth not measured' : `${(grownBytes / 1e6).toFixed(1)} MB grown`
  say(`${target}: ${executions} executions, ${rate}/s, ${outcomes} outcomes, slowest ${slowestMs.toFixed(2)} ms, ${growth}`)
  for (const [index, failure] of failures.entries()) say(`  ${describe(failure, `${target}-${seed}-${index}`)}`)
}

function describe({ kind, detail, input }: FuzzFailure, name: string): string {
  if (input === null) return `${kind}: ${detail}`
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.bin`)
  writeFileSync(file, input)
  return `${kind}: ${detail}\n    input saved as ${file}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
