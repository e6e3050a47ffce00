import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { sql } from 'kysely'
import type { Clock } from '#base/clock.ts'
import {
  backedUp,
  schemaNow,
  unlockText,
  WrongPassphraseError,
  type BackedUp,
  type Checksums,
  type Manifest,
} from '#server/backup/manifest.ts'
import { BadArchiveError, readTar } from '#server/backup/tar.ts'
import { lockFolder } from '#server/journal/lock.ts'
import type { Store, SystemDb } from '#server/store/index.ts'

export interface RestoreSettings {
  readonly store: Store
  readonly clock: Clock
  readonly dataFolder: string
  /** The archive to read. */
  readonly file: string
  /** Put aside what is there: files under a name with the instant, rows for good. */
  readonly force: boolean
  readonly passphrase?: string
}

export interface RestoreReport {
  readonly createdAt: string
  readonly rows: number
  readonly files: number
  /** Where what was there before has been put. */
  readonly putAside: readonly string[]
}

/** There is data already, and `force` was not given. */
export class NotEmptyError extends Error {
  override readonly name = 'NotEmptyError'
}

/** What belongs to the system as it was, and would contradict the restored one. */
const lifeOfBefore = ['journal', 'configuration', 'secret.key']

/**
 * Restores a backup into an empty system, or over an existing one with `force`. The whole archive is checked before anything is written
 * (`BadArchiveError`, `WrongPassphraseError`); rows come in one transaction. The server must not run (`FolderInUseError`).
 */
export async function restore(settings: RestoreSettings): Promise<RestoreReport> {
  const { store, dataFolder } = settings
  await mkdir(join(dataFolder, 'journal'), { recursive: true })
  await using _alone = await lockFolder(join(dataFolder, 'journal'))
  const { manifest, folders } = await check(settings)
  if (!settings.force && !(await isEmpty(store)))
    throw new NotEmptyError('there are companies here already; restoring replaces them (--force)')
  const staging = join(dataFolder, 'restore.unfinished')
  await rm(staging, { recursive: true, force: true })
  const report = await store.wholeSystem('restore', async (db) => {
    for (const table of [...backedUp].reverse()) await sql`delete from ${sql.table(table)}`.execute(db)
    return unpack(settings, db, staging)
  })
  const putAside = await putInPlace(settings, staging, folders)
  return { ...report, createdAt: manifest.createdAt, putAside }
}

function members(file: string) {
  return readTar(createReadStream(file).pipe(createGunzip()) as AsyncIterable<Buffer>)
}

/** Reads the archive to its end and proves it whole, of a schema that we know, and openable. */
async function check(settings: RestoreSettings): Promise<{ manifest: Manifest; folders: Set<string> }> {
  const found: Found = { sums: {}, folders: new Set(), manifest: null, claimed: null }
  try {
    for await (const { name, content } of members(settings.file)) await look(found, { name, content }, settings.passphrase)
  } catch (error) {
    if (error instanceof BadArchiveError || error instanceof WrongPassphraseError) throw error
    throw new BadArchiveError(`${settings.file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  const { sums, folders, manifest, claimed } = found
  if (manifest === null || claimed === null) throw new BadArchiveError(`${settings.file} is not a backup of this system`)
  for (const name of new Set([...Object.keys(sums), ...Object.keys(claimed)])) {
    if (sums[name] !== claimed[name]) throw new BadArchiveError(`${name} in the backup is damaged or missing`)
  }
  return { manifest, folders }
}

interface Found {
  sums: Checksums
  folders: Set<string>
  manifest: Manifest | null
  claimed: Checksums | null
}

async function look(
  found: Found,
  { name, content }: { name: string; content: AsyncGenerator<Buffer> },
  passphrase: string | undefined,
): Promise<void> {
  const hash = createHash('sha256')
  const isSmall = name === 'checksums.json' || name === 'manifest.json' || name === 'secret.key.locked'
  const bytes = isSmall ? await buffer(content) : Buffer.alloc(0)
  hash.update(bytes)
  for await (const chunk of content) hash.update(chunk)
  if (name === 'checksums.json') {
    found.claimed = JSON.parse(bytes.toString()) as Checksums
    return
  }
  if (name === 'manifest.json') found.manifest = readManifest(bytes)
  else if (name === 'secret.key.locked') checkPassphrase(bytes, passphrase)
  else if (tableOf(name) === null && name.includes('/')) found.folders.add(name.slice(0, name.indexOf('/')))
  found.sums[name] = hash.digest('hex')
}

function readManifest(bytes: Buffer): Manifest {
  const manifest = JSON.parse(bytes.toString()) as Partial<Manifest>
  if (manifest.format !== 'centrala-backup' || manifest.version !== 1 || !Array.isArray(manifest.schema))
    throw new BadArchiveError('the archive is not a backup of this system')
  const known = schemaNow()
  const unknown = manifest.schema.filter((step) => !known.includes(step))
  if (unknown.length > 0) throw new BadArchiveError(`the backup was made by a newer system (${unknown.join(', ')})`)
  return manifest as Manifest
}

function checkPassphrase(locked: Buffer, passphrase: string | undefined): void {
  if (passphrase === undefined) throw new WrongPassphraseError('this backup needs its passphrase')
  unlockText(locked, passphrase)
}

async function isEmpty(store: Store): Promise<boolean> {
  return store.acrossTenants(
    'is there anything to overwrite',
    async (db) => (await db.selectFrom('tenant').select('id').limit(1).execute()).length === 0,
  )
}

/** Rows into the database (in the caller's transaction), files into `staging`. */
async function unpack({ file, passphrase }: RestoreSettings, db: SystemDb, staging: string): Promise<{ rows: number; files: number }> {
  let rows = 0
  let files = 0
  await mkdir(staging, { recursive: true, mode: 0o700 })
  for await (const { name, content } of members(file)) {
    const table = tableOf(name)
    if (table !== null) rows += await insertLines(db, table, (await buffer(content)).toString())
    else if (name === 'secret.key.locked')
      await writeFile(join(staging, 'secret.key'), unlockText(await buffer(content), passphrase ?? ''), { mode: 0o600 })
    else if (name === 'secret.key') await writeFile(join(staging, name), await buffer(content), { mode: 0o600 })
    else if (name.includes('/')) {
      await mkdir(dirname(join(staging, name)), { recursive: true, mode: 0o700 })
      await pipeline(Readable.from(content), createWriteStream(join(staging, name), { mode: 0o600 }))
      files++
    }
  }
  return { rows, files }
}

function tableOf(name: string): BackedUp | null {
  const named = /^tables\/([a-z_]+)\.\d+\.jsonl$/.exec(name)?.[1]
  return backedUp.find((table) => table === named) ?? null
}

async function insertLines(db: SystemDb, table: BackedUp, text: string): Promise<number> {
  const lines = text.split('\n').filter((line) => line !== '')
  for (let from = 0; from < lines.length; from += 1_000) {
    const json = `[${lines.slice(from, from + 1_000).join(',')}]`
    await sql`insert into ${sql.table(table)} select * from jsonb_populate_recordset(null::${sql.table(table)}, ${json}::jsonb)`.execute(db)
  }
  return lines.length
}

/** Moves the restored files where they belong, and what was there under another name. */
async function putInPlace({ dataFolder, clock }: RestoreSettings, staging: string, folders: Set<string>): Promise<string[]> {
  const stamp = new Date(clock.wall()).toISOString().replace(/[:.]/g, '-')
  const putAside: string[] = []
  for (const name of new Set([...lifeOfBefore, ...folders])) {
    const path = join(dataFolder, name)
    const isThere = await stat(path).then(
      async (found) => !found.isDirectory() || (await readdir(path)).some((inside) => inside !== 'lock'),
      () => false,
    )
    if (!isThere) continue
    const aside = `${path}.before-${stamp}`
    await rename(path, aside)
    putAside.push(aside)
  }
  for (const name of await readdir(staging)) {
    await rm(join(dataFolder, name), { recursive: true, force: true })
    await rename(join(staging, name), join(dataFolder, name))
  }
  await rm(staging, { recursive: true, force: true })
  return putAside
}
