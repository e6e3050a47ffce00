import type { Kysely } from 'kysely'
import type { Tables } from '#server/store/tables.ts'

/** The database, walled by tenant. Every method fails fast with `StoreAwayError` while PostgreSQL cannot be reached. */
export interface Store {
  /**
   * Runs `work` in one transaction that can see and touch only the rows of `tenant`: guarded by row-level security under a role that
   * owns nothing. Commits when the promise resolves, rolls back when it rejects. Keep it short; never await anything but the handle inside.
   */
  forTenant<T>(tenant: TenantId, work: (db: TenantDb) => Promise<T>): Promise<T>
  /** The door past the wall, for the provider's own work (drain, jobs, sign-in, backup). `reason` is logged. */
  acrossTenants<T>(reason: string, work: (db: SystemDb) => Promise<T>): Promise<T>
  /** As `acrossTenants`, for long work over everything: one unchanging view of the data, and no limit to a statement's time. For backup and restore. */
  wholeSystem<T>(reason: string, work: (db: SystemDb) => Promise<T>): Promise<T>
  health(): StoreHealth
  /** Calls back at each change between ready and away. */
  onChange(listener: (health: StoreHealth) => void): Disposable
  /** Resolves when the schema is in place and queries are answered; rejects with `StoreAwayError` after `ms`. */
  ready(ms: number): Promise<void>
  close(): Promise<void>
}

/** A company's name in keys and paths: lower-case letters, digits and hyphens, 1 to 63, first a letter or digit. */
export type TenantId = string

/** Whether this may name a company. */
export function isTenantId(text: string): text is TenantId {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(text)
}

/** A transaction of one tenant. Use it only inside the `work` it was given to, and begin no other in it. */
export type TenantDb = Kysely<Tables>
/** A transaction that sees every tenant. */
export type SystemDb = Kysely<Tables>

export interface StoreHealth {
  readonly state: 'ready' | 'away'
  /** Why, when away. */
  readonly detail: string | null
  /** Wall time since when. */
  readonly since: number
  readonly inUse: number
  readonly waiting: number
}

/** PostgreSQL cannot be reached, or does not answer in time. Try again later; an HTTP edge answers 503. */
export class StoreAwayError extends Error {
  override readonly name = 'StoreAwayError'
}

/** Too many queries wait for a connection already. An HTTP edge answers 503. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError'
}
