import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Tally } from '#tools/test/tally.ts'
import { addTallies } from '#tools/test/tally.ts'

/** A tool that looks at the whole project; it passes when it exits with 0. */
interface Step {
  name: string
  /** Its script, from the project. */
  script: string
  words: string[]
}

const biome = 'node_modules/@biomejs/biome/bin/biome'
const tsc = 'node_modules/typescript/bin/tsc'

function stepsOf(project: string): Step[] {
  const steps: Step[] = [
    { name: 'format', script: biome, words: ['format', '.'] },
    { name: 'lint', script: 'node_modules/oxlint/bin/oxlint', words: ['--format=unix', '.'] },
    { name: 'types', script: tsc, words: ['-p', '.'] },
    { name: 'unused code', script: 'node_modules/knip/bin/knip.js', words: ['--no-progress'] },
  ]
  if (existsSync(join(project, 'web', 'index.html'))) steps.push({ name: 'types of the page', script: tsc, words: ['-p', 'web'] })
  return steps
}

/** Runs format, lint, types and unused code side by side, and prints what each found. Each counts as one. */
export async function runSteps(project: string): Promise<Tally> {
  return addTallies(await Promise.all(stepsOf(project).map((step) => runStep(project, step))))
}

async function runStep(project: string, step: Step): Promise<Tally> {
  const startedAt = performance.now()
  const { code, output } = await run(project, step)
  const time = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`.padStart(7)
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${time}  ${step.name}`)
  if (code !== 0) console.log(output.trimEnd())
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
}

function run(project: string, step: Step): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [step.script, ...step.words], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (output += text))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, output })))
}
