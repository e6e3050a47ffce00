import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type EndMode, Kept, type KeptStatus, type Launch } from '#server/keeper/kept.ts'
import { type Banner, exitRefused } from '#server/keeper/messages.ts'

/** The processes of one installation. */
export interface Plan {
  /** Null when the operator has a database of their own. */
  database: Launch | null
  engines: readonly Launch[]
  server: Launch
  demoCarrier: Launch | null
}

export interface KeeperOptions {
  clock: Clock
  log: Log
  /** How long the server may let calls go on when it is asked to end. */
  drainLimitMs: Millis
  /** The server serves for the first time; null when it had nothing to show. */
  onReady(banner: Banner | null): void
  /** Some process cannot work until a person changes something. The keeper is ending already. */
  onRefused(process: string, why: string): void
}

/** What a process may take beyond its own limit before it is killed. */
const graceMs = 10_000
/** For ending work at once. */
const hurryMs = 5_000
/** How long the server may wait for a moment in which no call is being connected, and then put everything down. */
const serverHandOverMs = 30_000
/** For an engine to close the recordings it writes. */
const engineHandOverMs = 2_000

/**
 * Starts the processes of an installation, starts again what dies, and ends them in order: the server first, since it lets
 * calls finish and needs all others for that; then the demo carrier and the engines; the database last.
 */
export class Keeper {
  readonly #database: Kept | null
  readonly #server: Kept
  readonly #engines: Kept[]
  readonly #others: Kept[]
  readonly #options: KeeperOptions
  readonly #done = Promise.withResolvers<number>()
  #exitCode = 0
  #ending: EndMode | null = null
  #restarting = false

  constructor(plan: Plan, options: KeeperOptions) {
    this.#options = options
    this.#server = this.#keep('server', plan.server, (banner, first) => first && options.onReady(banner))
    this.#database = plan.database && this.#keep('database', plan.database, () => this.#startServer())
    this.#engines = plan.engines.map((launch, index) => this.#keep(`engine-${index}`, launch))
    this.#others = [...this.#engines]
    if (plan.demoCarrier !== null) this.#others.push(this.#keep('demo-carrier', plan.demoCarrier))
  }

  /** Starts everything; the server as soon as the database can be reached. Resolves with the exit code, when all has ended. */
  run(): Promise<number> {
    for (const kept of this.#others) kept.start()
    if (this.#database === null) this.#server.start()
    else this.#database.start()
    return this.#done.promise
  }

  status(): KeptStatus[] {
    return this.#all().map((kept) => kept.status())
  }

  /**
   * Replaces the engines, one after the other, and then the server by new lives of them, calls being kept: a rolling restart, for another
   * version of the program. What cannot be replaced goes on as it is, and nothing after it is touched. `say`: how it goes, in sentences.
   * @returns whether everything was replaced.
   */
  async restart(say: (line: string) => void): Promise<boolean> {
    if (this.#restarting || this.#ending !== null) {
      say(this.#ending === null ? 'A restart is under way already.' : 'The system is ending.')
      return false
    }
    this.#restarting = true
    this.#options.log.info('rolling restart')
    try {
      for (const kept of [...this.#engines, this.#server]) {
        const replaced = await kept.replace(kept === this.#server ? serverHandOverMs : engineHandOverMs)
        if ('refused' in replaced) {
          this.#options.log.error('was not replaced', { process: kept.name, why: replaced.refused })
          say(`${kept.name} was not replaced: ${replaced.refused}`)
          return false
        }
        say(`${kept.name} serves anew, ${replaced.ms} ms after the one before had gone.`)
      }
      return true
    } finally {
      this.#restarting = false
    }
  }

  /** Ends everything: the first time gently, then without waiting for calls, then by force. */
  requestEnd(): void {
    const first = this.#ending === null
    this.#ending = this.#ending === null ? 'drain' : this.#ending === 'drain' ? 'now' : 'kill'
    this.#options.log.info('ending', { how: this.#ending, processes: this.#all().length })
    if (first) void this.#end()
    else if (this.#ending === 'now') void this.#server.end('now', hurryMs)
    else for (const kept of this.#all()) void kept.end('kill', 0)
  }

  #startServer(): void {
    if (this.#ending === null) this.#server.start()
  }

  #all(): Kept[] {
    return [...(this.#database === null ? [] : [this.#database]), ...this.#others, this.#server]
  }

  async #end(): Promise<void> {
    await this.#server.end('drain', this.#options.drainLimitMs + graceMs)
    await Promise.all(this.#others.map((kept) => kept.end('drain', hurryMs)))
    await this.#database?.end('drain', graceMs)
    this.#done.resolve(this.#exitCode)
  }

  #keep(name: string, launch: Launch, onReady?: (banner: Banner | null, first: boolean) => void): Kept {
    return new Kept(name, launch, { ...(onReady && { onReady }), onRefused: (why) => this.#onRefused(name, why) }, this.#options)
  }

  #onRefused(name: string, why: string): void {
    this.#exitCode = exitRefused
    this.#options.onRefused(name, why)
    if (this.#ending === null) this.requestEnd()
  }
}
