import { sql } from 'kysely'
import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { DeadJob, JobHandler, JobResult, Jobs, NewJob, RunningJob } from '#server/jobs/face.ts'
import { StoreAwayError, type Store, type TenantDb, type TenantId } from '#server/store/index.ts'

export interface JobsSettings {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** By kind of job. A job of a kind without a handler waits for one. */
  readonly handlers: ReadonlyMap<string, JobHandler>
  /** Tries before a job gives up: default 20, which is more than half a day. */
  readonly attempts?: number
  /** Jobs at work at once. Default 4. */
  readonly atOnce?: number
  readonly roundMs?: Millis
  /** A job was given up. The owner raises the alarm. */
  readonly onDead?: (tenant: TenantId, kind: string, why: string) => void
}

/** A worker that dies loses its jobs to others after this. Longer than any job may take. */
const leaseMs: Millis = 5 * 60_000
const firstPauseMs: Millis = 5_000
const longestPauseMs: Millis = 2 * 3_600_000
/** Done jobs stay this long, so that nothing is queued twice. */
const rememberDoneMs: Millis = 30 * 86_400_000

/** Works the job table. Several servers may: each job goes to one at a time. Caller closes. */
export function openJobs(settings: JobsSettings): Jobs {
  return new JobWorker(settings)
}

interface Claimed extends RunningJob {
  kind: string
}

class JobWorker implements Jobs {
  #settings: JobsSettings
  #timer: Disposable | null = null
  #running = new Set<Promise<void>>()
  #round: Promise<void> | null = null
  #poked = false
  #closed = false

  constructor(settings: JobsSettings) {
    this.#settings = settings
    this.#next(0)
  }

  async enqueue(db: TenantDb, job: NewJob): Promise<void> {
    const now = new Date(this.#settings.clock.wall())
    await db
      .insertInto('job')
      .values({
        tenant: job.tenant,
        kind: job.kind,
        key: job.key,
        payload: JSON.stringify(job.payload),
        state: 'waiting',
        attempts: 0,
        run_at: job.runAt === undefined ? now : new Date(job.runAt),
        created_at: now,
      })
      .onConflict((on) => on.doNothing())
      .execute()
  }

  poke(): void {
    this.#poked = true
    if (this.#round === null) this.#next(0)
  }

  async dead(tenant: TenantId): Promise<DeadJob[]> {
    const rows = await this.#settings.store.forTenant(tenant, (db) =>
      db
        .selectFrom('job')
        .selectAll()
        .where('tenant', '=', tenant)
        .where('state', '=', 'dead')
        .orderBy('finished_at', 'desc')
        .limit(500)
        .execute(),
    )
    return rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      key: row.key,
      attempts: row.attempts,
      lastError: row.last_error ?? '',
      at: row.finished_at?.getTime() ?? 0,
    }))
  }

  async revive(tenant: TenantId, id: string): Promise<boolean> {
    if (!/^[0-9a-f-]{36}$/.test(id)) return false
    const changes = {
      state: 'waiting',
      attempts: 0,
      run_at: new Date(this.#settings.clock.wall()),
      finished_at: null,
      leased_until: null,
    } as const
    const { numUpdatedRows } = await this.#settings.store.forTenant(tenant, (db) =>
      db.updateTable('job').set(changes).where('id', '=', id).where('state', '=', 'dead').executeTakeFirst(),
    )
    this.poke()
    return numUpdatedRows > 0n
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
    await this.#round
    await Promise.all(this.#running)
  }

  #next(ms: Millis): void {
    this.#timer?.[Symbol.dispose]()
    if (this.#closed) return
    this.#timer = this.#settings.clock.after(ms, () => {
      this.#round = this.#work().finally(() => {
        this.#round = null
        this.#next(this.#poked ? 0 : (this.#settings.roundMs ?? 2_000))
      })
    })
  }

  async #work(): Promise<void> {
    this.#poked = false
    try {
      const free = (this.#settings.atOnce ?? 4) - this.#running.size
      if (free <= 0) return
      const claimed = await this.#claim(free)
      for (const job of claimed) this.#start(job)
      if (claimed.length === free) this.#poked = true
    } catch (error) {
      if (!(error instanceof StoreAwayError)) this.#settings.log.error('jobs cannot be read', { error: String(error) })
    }
  }

  async #claim(limit: number): Promise<Claimed[]> {
    const now = this.#settings.clock.wall()
    const kinds = [...this.#settings.handlers.keys()]
    const { rows } = await this.#settings.store.acrossTenants('due jobs', (db) =>
      sql<{ id: string; tenant: string; kind: string; payload: unknown; attempts: number }>`
        update job set leased_until = ${new Date(now + leaseMs)}, attempts = attempts + 1 where id in (
          select id from job where state = 'waiting' and run_at <= ${new Date(now)} and (leased_until is null or leased_until < ${new Date(now)})
          and kind = any (${kinds}) order by run_at limit ${limit} for update skip locked
        ) returning id, tenant, kind, payload, attempts`.execute(db),
    )
    return rows.map(({ id, tenant, kind, payload, attempts }) => ({ id, tenant, kind, payload, attempt: attempts }))
  }

  #start(job: Claimed): void {
    const run: Promise<void> = this.#run(job).finally(() => {
      this.#running.delete(run)
      if (this.#poked && this.#round === null) this.#next(0)
    })
    this.#running.add(run)
  }

  async #run(job: Claimed): Promise<void> {
    const handler = this.#settings.handlers.get(job.kind)
    if (handler === undefined) return
    const result = await handler(job).catch((error: unknown) => ({
      kind: 'failed' as const,
      why: error instanceof Error ? error.message : String(error),
    }))
    try {
      await this.#conclude(job, result)
    } catch (error) {
      // Its lease runs out, and it is done again: handlers are told that jobs may come twice.
      this.#settings.log.warn('the end of a job was not written', { kind: job.kind, id: job.id, error: String(error) })
    }
  }

  async #conclude(job: Claimed, result: JobResult | { kind: 'failed'; why: string }): Promise<void> {
    const now = this.#settings.clock.wall()
    switch (result.kind) {
      case 'done':
        return this.#write(job, { state: 'done', finished_at: new Date(now), leased_until: null, last_error: null })
      case 'later':
        // Waiting is not a try.
        return this.#write(job, { run_at: new Date(now + result.ms), leased_until: null, attempts: job.attempt - 1 })
      case 'give-up':
        return this.#bury(job, result.why)
      case 'failed':
        if (job.attempt >= (this.#settings.attempts ?? 20)) return this.#bury(job, result.why)
        this.#settings.log.warn('a job failed and will be tried again', {
          kind: job.kind,
          tenant: job.tenant,
          attempt: job.attempt,
          why: result.why,
        })
        return this.#write(job, { run_at: new Date(now + this.#pause(job.attempt)), leased_until: null, last_error: result.why })
    }
  }

  async #bury(job: Claimed, why: string): Promise<void> {
    await this.#write(job, { state: 'dead', finished_at: new Date(this.#settings.clock.wall()), leased_until: null, last_error: why })
    this.#settings.log.error('a job was given up', { kind: job.kind, tenant: job.tenant, attempts: job.attempt, why })
    this.#settings.onDead?.(job.tenant, job.kind, why)
  }

  async #write(job: Claimed, values: Record<string, unknown>): Promise<void> {
    await this.#settings.store.forTenant(job.tenant, (db) => db.updateTable('job').set(values).where('id', '=', job.id).execute())
  }

  /** Doubles from 5 s, with half of it left to chance, so that jobs that failed together do not come back together. */
  #pause(attempt: number): Millis {
    const full = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1))
    return full / 2 + this.#settings.random.below(Math.ceil(full / 2))
  }
}

/** Removes jobs that were done more than 30 days ago, of all companies. For a daily round. */
export async function pruneJobs(store: Store, clock: Clock): Promise<void> {
  const before = new Date(clock.wall() - rememberDoneMs)
  await store.acrossTenants('old jobs', (db) =>
    db.deleteFrom('job').where('state', '=', 'done').where('finished_at', '<', before).execute(),
  )
}
