import type { Log } from '#base/log.ts'

/** Where the embedded PostgreSQL lives and what it may use. */
export interface EmbeddedPostgresSettings {
  /** The system's data folder; the cluster is `<dataFolder>/postgres`. Choose it with `chooseDataFolder`. */
  readonly dataFolder: string
  readonly log: Log
  /** Default 64. */
  readonly sharedBuffersMb?: number
  /** Default 40. */
  readonly maxConnections?: number
}

/** A running embedded PostgreSQL. */
export interface EmbeddedPostgres extends AsyncDisposable {
  readonly urls: StoreUrls
  /** The URL of the owner (migrations, backup). */
  readonly url: string
  /** Of the postmaster; changes when it is restarted after a crash. */
  readonly pid: number
  /** Fast shutdown: ends sessions, writes a checkpoint, waits. Idempotent. What stands still is ended all the same, by force in the end. */
  stop(): Promise<void>
  /** Immediate shutdown, for who cannot wait for a `stop` that is under way: no checkpoint, the next start recovers from the log. */
  kill(): void
}

/**
 * How to reach the database. `owner` makes the schema; `tenant` and `system` are roles of their own that own nothing. Where they are
 * absent (`DATABASE_URL` of one's own), the store takes the roles on by SET ROLE.
 */
export interface StoreUrls {
  readonly owner: string
  readonly tenant?: string
  readonly system?: string
}
