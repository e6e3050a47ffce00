import { Kysely, PostgresDialect } from 'kysely'
import { Client, Pool, types, type PoolClient, type PoolConfig } from 'pg'
import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import {
  StoreAwayError,
  StoreBusyError,
  type Store,
  type StoreHealth,
  type SystemDb,
  type TenantDb,
  type TenantId,
} from '#server/store/face.ts'
import { migrate } from '#server/store/migrate.ts'
import { migrations } from '#server/store/migrations/index.ts'
import { makePartitions } from '#server/store/partitions.ts'
import type { StoreUrls } from '#server/store/settings.ts'
import type { Tables } from '#server/store/tables.ts'
import { meansAway } from '#server/store/trouble.ts'
import { Wall } from '#server/store/wall.ts'

export interface StoreSettings {
  readonly urls: StoreUrls
  readonly clock: Clock
  readonly log: Log
  /** Connections for companies; the provider's own work has a third as many beside. Default 12. */
  readonly connections?: number
  /** The longest a statement may run. Default 10 s. */
  readonly statementMs?: Millis
}

const connectMs: Millis = 2_000
const probeMs: Millis = 500
const heartbeatMs: Millis = 2_000
const partitionsMs: Millis = 6 * 3_600_000
/** More than this waiting for a connection is refused at once. */
const maxWaiting = 200

/** Begins to work with the database: makes the schema when it answers, now or later. Never waits; ask `ready`. */
export function openStore(settings: StoreSettings): Store {
  return new PostgresStore(settings)
}

class PostgresStore implements Store {
  #settings: StoreSettings
  #tenants: Pool
  #system: Pool
  #wall: Wall | null = null
  #state: StoreHealth['state'] = 'away'
  #detail: string | null = 'not connected yet'
  #since: number
  #listeners = new Set<(health: StoreHealth) => void>()
  #timer: Disposable | null = null
  #probing: Promise<void>
  #partitionsDue: Millis = 0
  #closed = false
  #databases = new WeakMap<PoolClient, Kysely<Tables>>()

  constructor(settings: StoreSettings) {
    this.#settings = settings
    this.#since = settings.clock.wall()
    const connections = settings.connections ?? 12
    this.#tenants = this.#pool(settings.urls.tenant, 'centrala_tenant', connections)
    this.#system = this.#pool(settings.urls.system, 'centrala_system', Math.max(3, Math.round(connections / 3)))
    this.#probing = this.#probe()
  }

  forTenant<T>(tenant: TenantId, work: (db: TenantDb) => Promise<T>): Promise<T> {
    return this.#inTransaction(this.#tenants, (wall) => wall.openTenant(tenant), work)
  }

  acrossTenants<T>(reason: string, work: (db: SystemDb) => Promise<T>): Promise<T> {
    this.#settings.log.debug('across tenants', { reason })
    return this.#inTransaction(this.#system, (wall) => wall.openEveryone(), work)
  }

  wholeSystem<T>(reason: string, work: (db: SystemDb) => Promise<T>): Promise<T> {
    this.#settings.log.info('work on the whole system', { reason })
    return this.#inTransaction(this.#system, (wall) => wall.openEveryone(unhurried), work)
  }

  health(): StoreHealth {
    const busy = [this.#tenants, this.#system]
    const inUse = busy.reduce((sum, pool) => sum + pool.totalCount - pool.idleCount, 0)
    const waiting = busy.reduce((sum, pool) => sum + pool.waitingCount, 0)
    return { state: this.#state, detail: this.#detail, since: this.#since, inUse, waiting }
  }

  onChange(listener: (health: StoreHealth) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  ready(ms: number): Promise<void> {
    if (this.#state === 'ready') return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const change = this.onChange((health) => health.state === 'ready' && resolve())
    const limit = this.#settings.clock.after(ms, () => reject(new StoreAwayError(`the database is away: ${this.#detail}`)))
    return promise.finally(() => {
      change[Symbol.dispose]()
      limit[Symbol.dispose]()
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
    await this.#probing
    this.#timer?.[Symbol.dispose]()
    await Promise.all([this.#tenants.end(), this.#system.end()])
  }

  async #inTransaction<T>(pool: Pool, open: (wall: Wall) => string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    const wall = this.#wall
    if (this.#state === 'away' || wall === null) throw new StoreAwayError(`the database is away: ${this.#detail}`)
    if (pool.waitingCount >= maxWaiting) throw new StoreBusyError('too many queries wait for the database')
    const opening = open(wall)
    const client = await pool.connect().catch((error: unknown) => this.#fail(error))
    try {
      await client.query(opening)
      const result = await work(this.#database(client))
      await client.query('commit')
      client.release()
      return result
    } catch (error) {
      return await this.#abandon(client, error)
    }
  }

  /** Rolls back, or throws the connection away when it cannot be trusted any more; rejects with the cause. */
  async #abandon(client: PoolClient, error: unknown): Promise<never> {
    if (meansAway(error)) client.release(true)
    else {
      const clean = await client.query('rollback').then(
        () => true,
        () => false,
      )
      client.release(!clean)
    }
    return this.#fail(error)
  }

  #fail(error: unknown): never {
    if (!meansAway(error)) throw error
    const detail = error instanceof Error ? error.message : String(error)
    this.#become('away', detail)
    throw new StoreAwayError(`the database is away: ${detail}`, { cause: error })
  }

  /** Kysely over one connection of the pool, made once for its life. */
  #database(client: PoolClient): Kysely<Tables> {
    let database = this.#databases.get(client)
    if (database === undefined) {
      const only = { query: client.query.bind(client) as PoolClient['query'], release: () => undefined }
      database = new Kysely<Tables>({
        dialect: new PostgresDialect({ pool: { connect: async () => only, end: async () => undefined, options: {} } }),
      })
      this.#databases.set(client, database)
    }
    return database
  }

  #pool(url: string | undefined, role: string, max: number): Pool {
    const pool = new Pool({ ...this.#connection(url ?? this.#settings.urls.owner), max, idleTimeoutMillis: 60_000 })
    pool.on('connect', (client) => {
      // A connection that dies between two queries of a transaction tells so by an event; the next query fails with the cause.
      client.on('error', () => undefined)
      if (url === undefined) void client.query(`set role ${role}`).catch(() => undefined)
    })
    // An idle connection died; the next query, or the heartbeat, will say so.
    pool.on('error', (error) => this.#settings.log.warn('database connection lost', { error: error.message }))
    return pool
  }

  #connection(url: string): PoolConfig {
    const statementMs = this.#settings.statementMs ?? 10_000
    return {
      connectionString: url,
      application_name: 'centrala',
      connectionTimeoutMillis: connectMs,
      query_timeout: statementMs + 2_000,
      options: `-c search_path=centrala -c statement_timeout=${statementMs} -c idle_in_transaction_session_timeout=30000 -c timezone=UTC`,
      types: numbers,
    }
  }

  #become(state: StoreHealth['state'], detail: string | null): void {
    if (this.#state === state) {
      this.#detail = detail
      return
    }
    this.#state = state
    this.#detail = detail
    this.#since = this.#settings.clock.wall()
    this.#settings.log[state === 'away' ? 'error' : 'info'](`database ${state}`, { detail })
    const health = this.health()
    for (const listener of this.#listeners) {
      try {
        listener(health)
      } catch (error) {
        this.#settings.log.error('a listener of the database state failed', { error: String(error) })
      }
    }
    if (state === 'away') this.#next(probeMs)
  }

  #next(ms: Millis): void {
    this.#timer?.[Symbol.dispose]()
    if (this.#closed) return
    this.#timer = this.#settings.clock.after(ms, () => void (this.#probing = this.#probe()))
  }

  /** Asks the database whether it is there; makes schema and partitions where they are due. */
  async #probe(): Promise<void> {
    const client = new Client({ ...this.#connection(this.#settings.urls.owner), query_timeout: this.#wall === null ? 120_000 : connectMs })
    client.on('error', () => undefined)
    try {
      await client.connect()
      if (this.#wall === null) this.#wall = await this.#prepare(client)
      else await client.query('select 1')
      if (this.#settings.clock.now() >= this.#partitionsDue) await this.#makePartitions(client)
      this.#become('ready', null)
    } catch (error) {
      this.#become('away', error instanceof Error ? error.message : String(error))
    } finally {
      await client.end().catch(() => undefined)
    }
    this.#next(this.#state === 'ready' ? heartbeatMs : probeMs)
  }

  async #prepare(client: Client): Promise<Wall> {
    await client.query('set statement_timeout = 0')
    const made = await migrate(client, migrations)
    if (made.length > 0) this.#settings.log.info('schema brought up to date', { made })
    const { rows } = await client.query<{ key: Buffer }>('select key from centrala.wall')
    const key = rows[0]?.key
    if (key === undefined) throw new Error('centrala.wall is empty: the schema is broken')
    return new Wall(key)
  }

  async #makePartitions(client: Client): Promise<void> {
    await makePartitions(client, this.#settings.clock.wall())
    this.#partitionsDue = this.#settings.clock.now() + partitionsMs
  }
}

const unhurried =
  'set transaction isolation level repeatable read; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;'

/** bigint as number: nothing here comes near 2^53. */
const numbers: NonNullable<PoolConfig['types']> = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
}
