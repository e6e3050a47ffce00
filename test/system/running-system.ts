import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { readSegment, segmentsOf } from '#server/journal/segment.ts'
import { askKeeper, type KeeperStatus } from '#server/keeper/only-one.ts'
import { readSettings, type Settings } from '#server/settings.ts'
import { within } from '#test/support/within.ts'
import { claimPorts, type PortClaim } from '#test/support/ports.ts'

const project = join(import.meta.dirname, '..', '..')

/** Its ports: of SIP in each transport, HTTP and the demo carrier; of audio, its own and the demo carrier's. */
const signalling = 6
const ownAudio = 400
const carrierAudio = 200

/** What the end of a system may take beyond the calls that it lets go on: each kind of process is killed when its time is over. */
const endMs = 60_000

/** What it leaves behind nothing of. */
interface Own {
  folder: string
  ports: PortClaim
}

/** A whole system, started as a person does, with a data folder and ports of its own. */
export class RunningSystem implements AsyncDisposable {
  readonly settings: Settings
  /** The settings chosen here, by their names: for another start with the same ports and folder. */
  readonly environment: Readonly<Record<string, string>>
  /** What it printed. */
  readonly lines: string[] = []
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess
  readonly #own: Own
  #waiting: { pattern: RegExp; from: number; resolve: (line: string) => void; reject: (fault: Error) => void }[] = []

  private constructor(own: Own, environment: Record<string, string>) {
    this.#own = own
    this.environment = environment
    const all = { ...process.env, ...environment }
    this.settings = readSettings({ environment: all, project })
    this.#child = spawn(process.execPath, [join(project, 'tools', 'centrala.mjs'), 'start'], {
      env: all,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      if (input !== null) createInterface({ input }).on('line', (line) => this.#hear(line))
    }
    this.exited = new Promise((resolve) => this.#child.on('exit', resolve))
    void this.exited.then(() => this.#giveUp())
  }

  /** Starts it and waits for its banner. `more`: settings by their names, over the ports and the folder chosen here. */
  static async start(more: Record<string, string> = {}): Promise<RunningSystem> {
    const folder = await mkdtemp(join(tmpdir(), 'centrala-system-'))
    const ports = await claimPorts(signalling + ownAudio + carrierAudio)
    const [sip, tls, ws, wss, http, carrier] = Array.from({ length: signalling }, (_, n) => ports.first + n)
    const firstRtp = ports.first + signalling
    const system = new RunningSystem(
      { folder, ports },
      {
        CENTRALA_DATA_FOLDER: folder,
        CENTRALA_SIP_ADDRESSES: '127.0.0.1',
        CENTRALA_SIP_PORT: String(sip),
        CENTRALA_SIP_TLS_PORT: String(tls),
        CENTRALA_SIP_WS_PORT: String(ws),
        CENTRALA_SIP_WSS_PORT: String(wss),
        CENTRALA_HTTP_PORT: String(http),
        CENTRALA_DEMO_CARRIER_PORT: String(carrier),
        CENTRALA_RTP_FIRST_PORT: String(firstRtp),
        CENTRALA_RTP_LAST_PORT: String(firstRtp + ownAudio - 1),
        CENTRALA_DEMO_CARRIER_RTP_FIRST_PORT: String(firstRtp + ownAudio),
        CENTRALA_MEDIA_ENGINES: '1',
        // A call that a test leaves behind does not hold up its end.
        CENTRALA_DRAIN_SECONDS: '1',
        ...more,
      },
    )
    try {
      const banner = await system.line(/^Centrala (serves|cannot)/)
      if (banner.startsWith('Centrala cannot')) {
        const code = await system.exited
        throw new Error(`the system ended with code ${code} instead of starting:\n${system.lines.join('\n')}`)
      }
      return system
    } catch (fault) {
      await system[Symbol.asyncDispose]()
      throw fault
    }
  }

  /** Resolves with the first line that matches, of those printed after `from` lines; rejects when the system ends without it. */
  line(pattern: RegExp, from = 0): Promise<string> {
    const found = this.lines.slice(from).find((line) => pattern.test(line))
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => this.#waiting.push({ pattern, from, resolve, reject }))
  }

  async status(): Promise<KeeperStatus> {
    const status = await askKeeper(this.settings.folders.run)
    if (status === null) throw new Error('no keeper answers')
    return status
  }

  async pidOf(name: string): Promise<number> {
    const pid = (await this.status()).processes.find((each) => each.name === name)?.pid
    if (pid == null) throw new Error(`${name} does not run`)
    return pid
  }

  /**
   * Resolves when so many of the values that the journal keeps match, as JSON, on disk. What happened within its last write is lost with a server
   * that is killed, and on a busy machine a write takes its time: whoever kills one waits first for what is to survive.
   */
  async kept(pattern: RegExp, count = 1): Promise<void> {
    const folder = join(this.settings.folders.data, 'journal')
    for (;;) {
      const newest = segmentsOf(await readdir(folder)).at(-1)
      const content = newest === undefined ? null : readSegment(await readFile(join(folder, newest.name)))
      if ([...(content?.kept.values() ?? [])].filter((json) => pattern.test(json)).length >= count) return
      await pause(20)
    }
  }

  /** As a service manager does it. Resolves with the exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const limitMs = this.settings.calls.drainLimitMs + endMs
    await within('the end of the system', this.stop(), limitMs).catch((cause: unknown) => {
      // The keeper notices that its launcher died.
      this.#child.kill('SIGKILL')
      throw new Error(`it does not end:\n${this.lines.join('\n')}`, { cause })
    })
    await rm(this.#own.folder, { recursive: true, force: true })
    this.#own.ports[Symbol.dispose]()
  }

  #hear(line: string): void {
    this.lines.push(line)
    const matched = this.#waiting.filter((each) => this.lines.length > each.from && each.pattern.test(line))
    this.#waiting = this.#waiting.filter((each) => !matched.includes(each))
    for (const each of matched) each.resolve(line)
  }

  #giveUp(): void {
    for (const { pattern, reject } of this.#waiting) reject(new Error(`the system ended without ${pattern}:\n${this.lines.join('\n')}`))
    this.#waiting = []
  }
}
