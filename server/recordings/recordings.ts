import { createReadStream, mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { sql, type Selectable } from 'kysely'
import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { FinishedRecording } from '#calls/needs.ts'
import type { Jobs } from '#server/jobs/index.ts'
import type { Journal } from '#server/journal/index.ts'
import type { RecordingRow, Recordings, RecordingStream } from '#server/recordings/face.ts'
import { isRecordingId, recordingFile, recordingPath } from '#server/recordings/paths.ts'
import { isTenantId, makeCursor, parseCursor, StoreAwayError, type Store, type TenantDb, type TenantId } from '#server/store/index.ts'
import type { RecordingTable } from '#server/store/tables.ts'

export interface RecordingsSettings {
  readonly store: Store
  readonly journal: Pick<Journal, 'keep' | 'kept'>
  readonly jobs: Jobs
  readonly clock: Clock
  readonly log: Log
  /** Folder of all recordings. */
  readonly root: string
}

/** Kind of the job that mails a recording; its payload is `{ recording, to }`. */
export const mailRecording = 'mail-recording'

/** A recording that has no row yet, as the journal keeps it. */
interface Kept extends Omit<FinishedRecording, 'file'> {
  path: string
  startedAt: number
}

const retryMs: Millis = 5_000
const dayMs: Millis = 24 * 3_600_000

/** The recordings below `root`; takes up those whose rows the process before could not write. Caller closes. */
export function openRecordings(settings: RecordingsSettings): Recordings {
  return new RecordingArchive(settings)
}

class RecordingArchive implements Recordings {
  #settings: RecordingsSettings
  #unwritten = new Map<string, Kept>()
  #watch: Disposable
  #timer: Disposable | null = null
  #run: Promise<void> | null = null
  #closed = false

  constructor(settings: RecordingsSettings) {
    this.#settings = settings
    for (const [key, value] of settings.journal.kept('recording/')) this.#unwritten.set(key, value as Kept)
    this.#watch = settings.store.onChange((health) => health.state === 'ready' && this.#write())
    this.#write()
  }

  place(tenant: TenantId, recording: string): string {
    if (!isTenantId(tenant)) throw new RangeError('not a tenant id')
    const file = join(this.#settings.root, tenant, recordingPath(recording, this.#settings.clock.wall()))
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return file
  }

  finished({ file, ...rest }: FinishedRecording): void {
    const path = relative(join(this.#settings.root, rest.tenant), file)
    if (recordingFile(this.#settings.root, rest.tenant, path) === null) {
      this.#settings.log.error('a recording is not where it was placed', { tenant: rest.tenant, file })
      return
    }
    const kept: Kept = { ...rest, path, startedAt: Math.round(this.#settings.clock.wall() - rest.ms) }
    const key = `recording/${rest.tenant}/${rest.recording}`
    this.#settings.journal.keep(key, kept)
    this.#unwritten.set(key, kept)
    this.#write()
  }

  async list(tenant: TenantId, query: { call?: string; limit?: number; cursor?: string } = {}) {
    const limit = Math.min(500, Math.max(1, Math.trunc(query.limit ?? 50)))
    const after = query.cursor === undefined ? null : parseCursor(query.cursor)
    const rows = await this.#settings.store.forTenant(tenant, (db) => {
      let found = db.selectFrom('recording').selectAll().where('tenant', '=', tenant)
      if (query.call !== undefined) found = found.where('call', '=', query.call)
      if (after !== null) found = found.where(sql<boolean>`(started_at, id) < (${after.at}, ${after.id})`)
      return found
        .orderBy('started_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
    })
    const recordings = rows.slice(0, limit).map(toRow)
    const last = recordings.at(-1)
    return { recordings, next: rows.length > limit && last !== undefined ? makeCursor(last.startedAt, last.id) : null }
  }

  async get(tenant: TenantId, id: string): Promise<RecordingRow | null> {
    const row = await this.#find(tenant, id)
    return row === null ? null : toRow(row)
  }

  async open(tenant: TenantId, id: string, range: { start: number; end?: number } = { start: 0 }): Promise<RecordingStream | null> {
    const file = await this.file(tenant, id)
    const size =
      file === null
        ? null
        : await stat(file).then(
            (found) => found.size,
            () => null,
          )
    if (file === null || size === null) return null
    const start = Math.min(Math.max(0, range.start), Math.max(0, size - 1))
    const end = Math.max(start, Math.min(range.end ?? size - 1, size - 1))
    return { audio: createReadStream(file, { start, end }), contentType: 'audio/ogg', size, start, end }
  }

  async file(tenant: TenantId, id: string): Promise<string | null> {
    const row = await this.#find(tenant, id)
    return row === null || row.expired_at !== null ? null : recordingFile(this.#settings.root, tenant, row.path)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watch[Symbol.dispose]()
    this.#timer?.[Symbol.dispose]()
    await this.#run
  }

  async #find(tenant: TenantId, id: string): Promise<Selectable<RecordingTable> | null> {
    if (!isRecordingId(id)) return null
    const row = await this.#settings.store.forTenant(tenant, (db) =>
      db.selectFrom('recording').selectAll().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst(),
    )
    return row ?? null
  }

  #write(): void {
    if (this.#run !== null || this.#closed || this.#unwritten.size === 0) return
    this.#run = this.#writeAll().finally(() => {
      this.#run = null
      if (this.#unwritten.size > 0 && !this.#closed) this.#timer = this.#settings.clock.after(retryMs, () => this.#write())
    })
  }

  async #writeAll(): Promise<void> {
    for (const [key, kept] of this.#unwritten) {
      try {
        await this.#settings.store.forTenant(kept.tenant, (db) => this.#insert(db, kept))
      } catch (error) {
        if (error instanceof StoreAwayError) return
        this.#settings.log.error('the row of a recording was not written', { recording: kept.recording, error: String(error) })
        continue
      }
      this.#unwritten.delete(key)
      this.#settings.journal.keep(key, null)
      this.#settings.jobs.poke()
    }
  }

  /** The row and the job to mail it come together or not at all. */
  async #insert(db: TenantDb, kept: Kept): Promise<void> {
    const { tenant, recording, call, startedAt, ms, bytes, path, turns, gaps, mailTo, keepDays } = kept
    const keepUntil = keepDays === undefined ? null : new Date(startedAt + keepDays * dayMs)
    const times = { started_at: new Date(startedAt), keep_until: keepUntil }
    const values = { tenant, id: recording, call, ...times, ms: Math.round(ms), bytes, path }
    await db
      .insertInto('recording')
      .values({ ...values, turns: JSON.stringify(turns), gaps: JSON.stringify(gaps) })
      .onConflict((on) => on.doNothing())
      .execute()
    await this.#settings.jobs.enqueue(db, { tenant, kind: mailRecording, key: recording, payload: { recording, to: mailTo } })
  }
}

function toRow(row: Selectable<RecordingTable>): RecordingRow {
  return {
    id: row.id,
    call: row.call,
    startedAt: row.started_at.getTime(),
    ms: row.ms,
    bytes: row.bytes,
    turns: row.turns as RecordingRow['turns'],
    gaps: row.gaps as RecordingRow['gaps'],
    mailedAt: row.mailed_at?.getTime() ?? null,
    mailedTo: row.mailed_to,
    keepUntil: row.keep_until?.getTime() ?? null,
    expiredAt: row.expired_at?.getTime() ?? null,
  }
}
