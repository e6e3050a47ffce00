import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { readWire, type WireMessage } from '#test/support/wire.ts'
import { untilAnswered } from '#test/trunks/until-answered.ts'

/** Why tests with SIPp cannot run here; false when they can. */
export const withoutSipp: string | false =
  spawnSync('sipp', ['-v']).error === undefined ? false : 'sipp is not installed (Debian: sip-tester)'

/** A scenario of this folder, and the words that stand for `[name]` in it. */
export interface SippScenario {
  scenario: string
  address: string
  port: number
  keys?: Readonly<Record<string, string>>
  /** What its credentials say is asked for, without `sip:`; default: the address that it sends to. */
  authUri?: string
}

/** A message that SIPp received or sent. */
export type SippMessage = WireMessage & { received: boolean }

/** SIPp at work as a carrier. */
export class Sipp implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #exited: Promise<number>
  #errors = ''

  private constructor(folder: string, run: SippScenario, more: readonly string[]) {
    this.#folder = folder
    const scenario = join(folder, 'scenario.xml')
    writeFileSync(scenario, scenarioText(run))
    const own = [
      '-sf',
      scenario,
      '-i',
      run.address,
      '-p',
      String(run.port),
      '-nostdin',
      '-trace_msg',
      '-message_file',
      join(folder, 'messages'),
      '-trace_err',
      '-error_file',
      join(folder, 'errors'),
    ]
    if (run.authUri !== undefined) own.push('-auth_uri', run.authUri)
    this.#child = spawn('sipp', [...own, ...more], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child.stderr?.on('data', (text: Buffer) => (this.#errors += text.toString()))
    this.#exited = once(this.#child, 'exit').then(([code]) => Number(code ?? -1))
  }

  /** A carrier that takes calls; ready when it returns. */
  static async listen(run: SippScenario): Promise<Sipp> {
    const sipp = new Sipp(await mkdtemp(join(tmpdir(), 'sipp-')), run, [])
    await untilAnswered(run)
    return sipp
  }

  /** A carrier that takes one call. `done` tells how it went. Ready when its socket is, which nothing tells: a lost INVITE is sent again. */
  static async serve(run: SippScenario): Promise<Sipp> {
    return new Sipp(await mkdtemp(join(tmpdir(), 'sipp-')), run, ['-m', '1', '-timeout', '60s', '-timeout_error'])
  }

  /** A carrier that makes one call to `to`. `done` tells how it went. */
  static async call(run: SippScenario, to: { address: string; port: number }): Promise<Sipp> {
    return new Sipp(await mkdtemp(join(tmpdir(), 'sipp-')), run, [
      to.address.includes(':') ? `[${to.address}]:${to.port}` : `${to.address}:${to.port}`,
      '-m',
      '1',
      '-timeout',
      '60s',
      '-timeout_error',
    ])
  }

  /** Resolves when the scenario has been gone through as written; rejects with what was different. */
  async done(): Promise<void> {
    const code = await this.#exited
    if (code !== 0)
      throw new Error(`sipp ended with ${code}: ${this.#errors}\n${await readFile(join(this.#folder, 'errors'), 'utf8').catch(() => '')}`)
  }

  /** What was sent and received so far. */
  async messages(): Promise<SippMessage[]> {
    const text = await readFile(join(this.#folder, 'messages'), 'latin1').catch(() => '')
    return text.split(/^-{20,} [^\n]*\n/m).flatMap((part) => {
      const [, direction, message] = /^UDP message (received|sent)[^\n]*\n\n([^]*)$/.exec(part) ?? []
      return message === undefined ? [] : [{ ...readWire(message.replace(/\r?\n/g, '\r\n')), received: direction === 'received' }]
    })
  }

  /** Requests of this method that came, in order, of the call of a fact or of all. */
  async requests(method: string, callId?: string): Promise<SippMessage[]> {
    const all = await this.messages()
    return all.filter((m) => m.received && m.method === method && (callId === undefined || m.headers.get('call-id')?.[0] === callId))
  }

  /** The first such request, when it is there: SIPp tells nobody what came but its file. */
  async request(method: string, callId: string): Promise<SippMessage> {
    for (let looks = 0; looks < 500; looks++) {
      const [found] = await this.requests(method, callId)
      if (found !== undefined) return found
      await setTimeout(20)
    }
    throw new Error(`no ${method} came`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** With the words put in: SIPp's own `-key` cannot stand for a status. */
function scenarioText({ scenario, keys }: SippScenario): string {
  const text = readFileSync(join(import.meta.dirname, 'sipp', `${scenario}.xml`), 'utf8')
  return Object.entries(keys ?? {}).reduce((made, [name, value]) => made.replaceAll(`[${name}]`, value), text)
}
