import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Clock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { backedUp } from '#server/backup/manifest.ts'
import { restore } from '#server/backup/restore.ts'
import { type ConfigStore, openConfigStore, secretKey } from '#server/config-store/index.ts'
import { openStore, type Store } from '#server/store/index.ts'
import { startEmbeddedPostgres } from '#server/store/postgres-process.ts'

export interface RehearsalReport {
  readonly createdAt: string
  /** Rows that came back, by table. */
  readonly rows: Readonly<Record<string, number>>
  readonly files: number
  readonly companies: number
  /** Passwords and keys that open. */
  readonly secrets: number
  /** What would be missing after a real restore, in sentences; empty when nothing. */
  readonly problems: readonly string[]
}

/** How long the throw-away database may take to answer. */
const readyMs = 60_000
/** Missing recordings that are named one by one. */
const mostNamed = 10

/**
 * Restores a backup into a database and a folder that are thrown away afterwards, and looks whether everything is there: rows, configuration of
 * every company, every secret with its key, the file of every recording. The running system is not touched. Throws what `restore` throws.
 */
export async function rehearseRestore(archive: { file: string; clock: Clock; passphrase?: string }): Promise<RehearsalReport> {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'centrala-rehearsal-'))
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  // The database may run as a user of its own, who must get through.
  await chmod(folder, 0o711)
  const postgres = await startEmbeddedPostgres({ dataFolder: folder, log: silentLog, sharedBuffersMb: 16 })
  opened.defer(() => postgres.stop())
  const { clock } = archive
  const store = openStore({ urls: postgres.urls, clock, log: silentLog, connections: 2 })
  opened.defer(() => store.close())
  await store.ready(readyMs)
  const { createdAt, files } = await restore({ ...archive, store, dataFolder: folder, force: false })
  const rows = await countRows(store)
  await using configs = await openConfigStore({
    ...{ store, clock, log: silentLog, folder: join(folder, 'configuration') },
    key: await secretKey(join(folder, 'secret.key')),
  })
  const { secrets, problems } = lookAtConfigurations(configs)
  const lost = await missingRecordings(store, join(folder, 'recordings'))
  return { createdAt, rows, files, companies: configs.tenants().length, secrets, problems: [...problems, ...lost] }
}

function countRows(store: Store): Promise<Record<string, number>> {
  return store.acrossTenants('count what was restored', async (db) => {
    const counts: Record<string, number> = {}
    for (const table of backedUp) {
      const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)}`.execute(db)
      counts[table] = rows[0]?.count ?? 0
    }
    return counts
  })
}

function lookAtConfigurations(configs: ConfigStore): { secrets: number; problems: string[] } {
  let secrets = 0
  const problems: string[] = []
  for (const tenant of configs.tenants()) {
    for (const document of configs.current(tenant)?.documents ?? []) {
      for (const reference of secretsIn(document)) {
        if (configs.reveal(tenant, reference) === null)
          problems.push(`a secret of ${document.kind} ${document.id} of ${tenant} does not open: it would have to be set anew`)
        else secrets++
      }
    }
  }
  return { secrets, problems }
}

function secretsIn(value: unknown): { secret: string }[] {
  if (typeof value !== 'object' || value === null) return []
  if ('secret' in value && typeof value.secret === 'string' && Object.keys(value).length === 1) return [{ secret: value.secret }]
  return Object.values(value).flatMap(secretsIn)
}

async function missingRecordings(store: Store, root: string): Promise<string[]> {
  const recordings = await store.acrossTenants('look for recordings', (db) =>
    db
      .selectFrom('recording')
      .select(['tenant', 'id', 'path'])
      .where('expired_at', 'is', null)
      // While the files were archived the day may have come of some.
      .where((by) => by.or([by('keep_until', 'is', null), by('keep_until', '>', new Date())]))
      .execute(),
  )
  const missing: string[] = []
  for (const { tenant, id, path } of recordings) {
    const found = await stat(join(root, tenant, path)).catch(() => null)
    if (found === null) missing.push(`the file of recording ${id} of ${tenant} is not in the backup`)
  }
  if (missing.length <= mostNamed) return missing
  return [...missing.slice(0, mostNamed), `the files of ${missing.length - mostNamed} more recordings are not in the backup`]
}
