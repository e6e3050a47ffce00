import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { askKeeper, type KeeperStatus } from '#server/keeper/only-one.ts'
import { readSettings, type Settings } from '#server/settings.ts'

const project = join(import.meta.dirname, '..', '..')

/** A whole system, started as a person does, with a data folder and ports of its own. */
export class RunningSystem implements AsyncDisposable {
  readonly settings: Settings
  /** The settings chosen here, by their names: for another start with the same ports and folder. */
  readonly environment: Readonly<Record<string, string>>
  /** What it printed. */
  readonly lines: string[] = []
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess
  readonly #folder: string
  #waiting: { pattern: RegExp; from: number; resolve: (line: string) => void; reject: (fault: Error) => void }[] = []

  private constructor(folder: string, environment: Record<string, string>) {
    this.#folder = folder
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
    const [sip, tls, ws, wss, http, carrier] = await freePorts(6)
    const firstRtp = 40_000 + 2 * randomInt(10_000)
    const system = new RunningSystem(folder, {
      CENTRALA_DATA_FOLDER: folder,
      CENTRALA_SIP_ADDRESSES: '127.0.0.1',
      CENTRALA_SIP_PORT: String(sip),
      CENTRALA_SIP_TLS_PORT: String(tls),
      CENTRALA_SIP_WS_PORT: String(ws),
      CENTRALA_SIP_WSS_PORT: String(wss),
      CENTRALA_HTTP_PORT: String(http),
      CENTRALA_DEMO_CARRIER_PORT: String(carrier),
      CENTRALA_RTP_FIRST_PORT: String(firstRtp),
      CENTRALA_RTP_LAST_PORT: String(firstRtp + 399),
      CENTRALA_DEMO_CARRIER_RTP_FIRST_PORT: String(firstRtp + 400),
      CENTRALA_MEDIA_ENGINES: '1',
      ...more,
    })
    try {
      await system.line(/^Centrala (serves|cannot)/)
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

  /** As a service manager does it. Resolves with the exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
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

/** Ports that are free now for UDP and TCP, all different. */
async function freePorts(count: number): Promise<number[]> {
  const held: AsyncDisposable[] = []
  const ports: number[] = []
  while (ports.length < count) {
    const port = 20_000 + randomInt(10_000)
    const holds = await Promise.allSettled([holdUdp(port), holdTcp(port)])
    for (const hold of holds) if (hold.status === 'fulfilled') held.push(hold.value)
    if (holds.every((hold) => hold.status === 'fulfilled')) ports.push(port)
  }
  for (const each of held) await each[Symbol.asyncDispose]()
  return ports
}

function holdUdp(port: number): Promise<AsyncDisposable> {
  const socket = createSocket('udp4')
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, '127.0.0.1', () => resolve({ [Symbol.asyncDispose]: () => new Promise((done) => socket.close(() => done())) }))
  })
}

function holdTcp(port: number): Promise<AsyncDisposable> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve({ [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) }))
  })
}
