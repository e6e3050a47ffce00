import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { farEnd, usersForSipp } from '#tools/bench/company.ts'
import { Trouble } from '#tools/lib/trouble.ts'

const sources = join(import.meta.dirname, 'load')
/** Where calls come from. */
const caller = '127.0.21.1'

/** The programs that make load, ready to be run on one core. */
export interface Load {
  folder: string
  core: number
  target: string
}

/** Compiles and writes what is needed into `folder`. Throws Trouble that says what to install. */
export function prepareLoad(folder: string, core: number, target: string): Load {
  if (process.platform !== 'linux') throw new Trouble('The bench reads /proc and pins processes: it runs on Linux only.')
  for (const [program, from] of [
    ['sipp', 'sip-tester'],
    ['cc', 'gcc'],
    ['taskset', 'util-linux'],
  ] as const)
    if (spawnSync(program, ['--version']).error !== undefined) throw new Trouble(`${program} is needed (Debian: apt-get install ${from}).`)
  mkdirSync(folder, { recursive: true })
  execFileSync('cc', ['-O2', '-w', '-o', join(folder, 'rtpload'), join(sources, 'rtpload.c'), '-lm'])
  writeFileSync(join(folder, 'users.csv'), usersForSipp())
  return { folder, core, target }
}

export interface SippLoad {
  scenario: 'uac' | 'register'
  number: string
  rate: number
  seconds: number
  holdMs: number
  /** Answers bridged calls, too. */
  bridged?: boolean
  /** Where they come from, when there are others at the same time. */
  port?: number
}

/** What SIPp says of its calls. */
export interface SippTally {
  succeeded: number
  failed: number
  retransmissions: number
}

/** Makes calls at a rate and waits for the last to end. */
export async function runSipp(load: Load, run: SippLoad): Promise<SippTally> {
  using far = run.bridged === true ? answerCalls(load) : null
  if (far !== null) await pause(500)
  const port = String(run.port ?? 5081)
  const statistics = join(load.folder, `statistics-${run.scenario}-${port}.csv`)
  const calls = Math.round(run.rate * run.seconds)
  const words = ['-sf', join(sources, `${run.scenario}.xml`), load.target, '-i', caller, '-p', port, '-s', run.number]
  words.push('-r', String(run.rate), '-rp', '1000', '-m', String(calls), '-d', String(run.holdMs), '-l', '15000', '-nostdin')
  words.push('-trace_stat', '-stf', statistics, '-fd', '1', '-timeout', String(run.seconds + 25), '-timeout_error')
  if (run.scenario === 'register') words.push('-inf', join(load.folder, 'users.csv'))
  await ended(onCore(load, 'sipp', words))
  return tallyOf(readFileSync(statistics, 'utf8'), calls)
}

/** Answers every call that is sent to the carrier, until it is disposed of. */
export function answerCalls(load: Load): Disposable {
  const words = ['-sf', join(sources, 'uas.xml'), '-i', farEnd.address, '-p', String(farEnd.port), '-nostdin', '-l', '15000']
  const far = onCore(load, 'sipp', words)
  return { [Symbol.dispose]: () => void far.kill('SIGKILL') }
}

/** Asks for calls at a rate for so long, whatever becomes of them, and vanishes. Gives what was asked and what was completed each second, without the first two. */
export async function flood(
  load: Load,
  { number, rate, seconds }: { number: string; rate: number; seconds: number },
): Promise<{ offered: number; completed: number }> {
  const statistics = join(load.folder, 'statistics-flood.csv')
  const words = ['-sf', join(sources, 'uac.xml'), load.target, '-i', caller, '-p', '5083', '-s', number, '-d', '200', '-l', '60000']
  words.push('-r', String(rate), '-rp', '1000', '-m', '10000000', '-nostdin', '-trace_stat', '-stf', statistics, '-fd', '1')
  const child = onCore(load, 'sipp', words)
  await pause(seconds * 1000)
  child.kill('SIGKILL')
  const rows = rowsOf(readFileSync(statistics, 'utf8'))
  const [names = [], ...values] = rows
  const each = (name: string): number[] => values.map((row) => Number(row[names.indexOf(name)])).slice(2)
  const mean = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length)
  return { offered: mean(each('OutgoingCall(P)')), completed: mean(each('SuccessfulCall(P)')) }
}

function rowsOf(text: string): string[][] {
  return text
    .trim()
    .split('\n')
    .map((row) => row.split(';'))
}

function tallyOf(text: string, calls: number): SippTally {
  const rows = rowsOf(text)
  const field = (name: string): number => Number(rows.at(-1)?.[rows[0]?.indexOf(name) ?? -1] ?? 0)
  const succeeded = field('SuccessfulCall(C)')
  return { succeeded, failed: calls - succeeded, retransmissions: field('Retransmissions(C)') }
}

/** What rtpload tells of calls with media. */
export interface RtpTally {
  up: number
  failed: number
  loss_pct: number
  delay_ms_p50_p90_p99_p999?: [number, number, number, number]
  gapdev_ms_p50_p90_p99_p999?: [number, number, number, number]
}

/** What one side of the calls says: packets made ahead, 20 ms each, under their payload type. */
export interface Said {
  /** As `rtpload --packets` reads it. */
  file: string
  /** Payload type and rtpmap: `9 G722/8000`. */
  codec: string
  /** Key and salt by which they are protected already; absent: in clear. */
  key?: string
}

export interface RtpLoad {
  mode: 'bridge' | 'recv' | 'conf'
  number: string
  calls: number
  /** In `conf`: so many speak, the others send silence. Default: all. */
  talkers?: number
  /** What callers say, and what those say whom they are bridged with; default: G.711. */
  says?: Said
  answers?: Said
}

/** Sets calls up, lets media flow for `seconds`, and ends them. `steady` is told when the figures begin and end to count. */
export async function runRtp(load: Load, run: RtpLoad & { seconds: number }, steady: { begins(): void; ends(): void }): Promise<RtpTally> {
  const perSecond = 30
  const words = ['--target', load.target, '--mode', run.mode, '--user', run.number, '--calls', String(run.calls)]
  if (run.talkers !== undefined) words.push('--talkers', String(run.talkers))
  words.push(...saidWords('', run.says), ...saidWords('answer-', run.answers))
  const child = onCore(load, join(load.folder, 'rtpload'), [...words, '--secs', String(run.seconds), '--cps', String(perSecond)])
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const done = ended(child)
  // rtpload sets up, warms up for two seconds, and then counts: the middle of that is ours.
  await pause((run.calls / perSecond + 2.5) * 1000)
  steady.begins()
  await pause((run.seconds - 1) * 1000)
  steady.ends()
  await done
  const line = text.trim().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) throw new Trouble(`rtpload said nothing useful: ${text.slice(-300)}`)
  return JSON.parse(line) as RtpTally
}

function saidWords(side: '' | 'answer-', said: Said | undefined): string[] {
  if (said === undefined) return []
  const words = [`--${side}packets`, said.file, `--${side}codec`, said.codec]
  return said.key === undefined ? words : [...words, `--${side}crypto`, said.key]
}

function onCore(load: Load, program: string, words: readonly string[]) {
  return spawn('taskset', ['-c', String(load.core), program, ...words], {
    cwd: load.folder,
    stdio: ['ignore', program === 'sipp' ? 'ignore' : 'pipe', 'ignore'],
  })
}

function ended(child: ReturnType<typeof onCore>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve())
  })
}
