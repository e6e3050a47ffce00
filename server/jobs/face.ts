import type { TenantDb, TenantId } from '#server/store/face.ts'

/** Work that may fail and is tried again: rows in PostgreSQL, at least once each. */
export interface Jobs {
  /** Queues a job in the caller's transaction. The same `key` is never queued twice. */
  enqueue(db: TenantDb, job: NewJob): Promise<void>
  /** Says that something was queued: the worker looks at once instead of at its next round. */
  poke(): void
  /** Jobs that gave up, newest first. */
  dead(tenant: TenantId): Promise<DeadJob[]>
  /** Tries a dead job again from the start. False: no such dead job here. */
  revive(tenant: TenantId, id: string): Promise<boolean>
  close(): Promise<void>
}
export interface NewJob {
  readonly tenant: TenantId
  readonly kind: string
  readonly key: string
  readonly payload: unknown
  /** Not before; milliseconds since the Unix epoch. Default now. */
  readonly runAt?: number
}
export interface DeadJob {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly attempts: number
  readonly lastError: string
  readonly at: number
}

/** Does one kind of job. Rejecting means: try again later (with growing pauses), and after `attempts` tries give up. */
export type JobHandler = (job: RunningJob) => Promise<JobResult>
export interface RunningJob {
  readonly id: string
  readonly tenant: TenantId
  readonly payload: unknown
  /** 1 at the first try. */
  readonly attempt: number
}
/** `later` is not a failure: what the job waits for has not come yet. `give-up`: trying again is no use. */
export type JobResult = { kind: 'done' } | { kind: 'later'; ms: number } | { kind: 'give-up'; why: string }
