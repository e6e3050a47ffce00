import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { sql } from 'kysely'
import type { Clock } from '#base/clock.ts'
import { backedUp, lockText, schemaNow, type BackedUp, type Checksums, type Manifest } from '#server/backup/manifest.ts'
import { tarEnd, tarHeader, tarPadding } from '#server/backup/tar.ts'
import type { Store, SystemDb } from '#server/store/index.ts'

export interface BackupSettings {
  readonly store: Store
  readonly clock: Clock
  readonly dataFolder: string
  /** The archive to write. Replaced whole, or left as it was. */
  readonly file: string
  /** Folders below the data folder that go along, e.g. `prompts`, `recordings`. */
  readonly folders: readonly string[]
  /** Locks the key of the secrets. Without one the backup opens every password in the configuration. */
  readonly passphrase?: string
}

export interface BackupReport {
  readonly bytes: number
  readonly rows: number
  readonly files: number
  /** What the person must know; null when there is nothing. */
  readonly warning: string | null
}

const rowsAtOnce = 2_000
const partBytes = 8 * 1024 * 1024

/**
 * Writes a backup: a `.tar.gz` of the tables as JSON lines, from one unchanging view of the database, with the key of the secrets and the
 * files of `folders`. The system may be running. Nothing but this program's own restore, tar and a text editor is needed to read it.
 */
export async function backup(settings: BackupSettings): Promise<BackupReport> {
  const unfinished = `${resolve(settings.file)}.unfinished`
  const writer = new ArchiveWriter(settings)
  try {
    await settings.store.wholeSystem('backup', (db) =>
      pipeline(Readable.from(writer.write(db)), createGzip(), createWriteStream(unfinished, { mode: 0o600 })),
    )
    await sync(unfinished)
    await rename(unfinished, settings.file)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  const { size } = await stat(settings.file)
  return { bytes: size, rows: writer.rows, files: writer.files, warning: writer.warning }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

class ArchiveWriter {
  rows = 0
  files = 0
  warning: string | null = null
  #settings: BackupSettings
  #sums: Checksums = {}

  constructor(settings: BackupSettings) {
    this.#settings = settings
  }

  async *write(db: SystemDb): AsyncGenerator<Buffer> {
    const manifest: Manifest = {
      format: 'centrala-backup',
      version: 1,
      createdAt: new Date(this.#settings.clock.wall()).toISOString(),
      schema: schemaNow(),
    }
    yield* this.#member('manifest.json', Buffer.from(JSON.stringify(manifest)))
    for (const table of backedUp) yield* this.#table(db, table)
    yield* this.#key()
    for (const folder of this.#settings.folders) yield* this.#folder(join(this.#settings.dataFolder, folder))
    yield* this.#member('checksums.json', Buffer.from(JSON.stringify(this.#sums)))
    yield tarEnd()
  }

  *#member(name: string, bytes: Buffer): Generator<Buffer> {
    this.#sums[name] = createHash('sha256').update(bytes).digest('hex')
    yield tarHeader({ name, size: bytes.length }, this.#settings.clock.wall())
    yield bytes
    yield tarPadding(bytes.length)
  }

  async *#table(db: SystemDb, table: BackedUp): AsyncGenerator<Buffer> {
    await sql`declare backup_rows no scroll cursor for select to_jsonb(t)::text as row from ${sql.table(table)} t`.execute(db)
    let part = 1
    let lines: string[] = []
    let bytes = 0
    for (;;) {
      const { rows } = await sql<{ row: string }>`fetch ${sql.lit(rowsAtOnce)} from backup_rows`.execute(db)
      for (const { row } of rows) {
        lines.push(row)
        bytes += row.length
      }
      this.rows += rows.length
      if (lines.length > 0 && (bytes >= partBytes || rows.length === 0)) {
        yield* this.#member(`tables/${table}.${String(part++).padStart(6, '0')}.jsonl`, Buffer.from(`${lines.join('\n')}\n`))
        lines = []
        bytes = 0
      }
      if (rows.length === 0) break
    }
    await sql`close backup_rows`.execute(db)
  }

  async *#key(): AsyncGenerator<Buffer> {
    const key = await readFile(join(this.#settings.dataFolder, 'secret.key'), 'utf8').catch(() => null)
    if (key === null) {
      this.warning = 'There is no secret.key in the data folder: the passwords in this backup will not open.'
    } else if (this.#settings.passphrase === undefined) {
      this.warning = 'This backup opens every password in the configuration: keep it as you would keep them, or give a passphrase.'
      yield* this.#member('secret.key', Buffer.from(key))
    } else yield* this.#member('secret.key.locked', lockText(key, this.#settings.passphrase))
  }

  async *#folder(folder: string): AsyncGenerator<Buffer> {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
    for (const entry of entries) {
      if (entry.isFile()) yield* this.#file(join(entry.parentPath, entry.name))
    }
  }

  /** A file as it is now. One that goes away or shrinks meanwhile is left out or filled with zeros; one that grows is cut. */
  async *#file(path: string): AsyncGenerator<Buffer> {
    const name = relative(this.#settings.dataFolder, path)
    const size = await stat(path).then(
      (found) => found.size,
      () => null,
    )
    if (size === null) return
    this.files++
    yield tarHeader({ name, size }, this.#settings.clock.wall())
    const hash = createHash('sha256')
    let left = size
    for await (const chunk of createReadStream(path, { end: Math.max(0, size - 1) }) as AsyncIterable<Buffer>) {
      const piece = chunk.subarray(0, left)
      left -= piece.length
      hash.update(piece)
      yield piece
    }
    const missing = Buffer.alloc(left)
    hash.update(missing)
    yield missing
    yield tarPadding(size)
    this.#sums[name] = hash.digest('hex')
  }
}
