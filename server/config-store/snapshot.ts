import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#base/log.ts'
import type { ConfigVersion } from '#server/config-store/face.ts'
import { isTenantId, type TenantId } from '#server/store/index.ts'

/** A company's current configuration as a file, so that the server can start and take calls while PostgreSQL is away. Secrets stay sealed. */
export interface Snapshot {
  readonly version: ConfigVersion
  /** Sealed, by reference. */
  readonly secrets: Record<string, string>
}

/** Writes the snapshot of one company; a reader sees the old one or the new one, whole. */
export async function writeSnapshot(folder: string, tenant: TenantId, snapshot: Snapshot): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${tenant}.json`)
  const unfinished = `${file}.unfinished`
  const handle = await open(unfinished, 'w', 0o600)
  try {
    await handle.writeFile(JSON.stringify(snapshot))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
}

/** The snapshots of a folder. A file that cannot be read is passed over and logged: the database has it. */
export async function readSnapshots(folder: string, log: Log): Promise<Map<TenantId, Snapshot>> {
  const found = new Map<TenantId, Snapshot>()
  for (const name of await readdir(folder).catch(() => [])) {
    const tenant = name.replace(/\.json$/, '')
    if (!name.endsWith('.json') || !isTenantId(tenant)) continue
    try {
      const snapshot = JSON.parse(await readFile(join(folder, name), 'utf8')) as Snapshot
      if (!Array.isArray(snapshot.version.documents) || typeof snapshot.secrets !== 'object') throw new Error('not a snapshot')
      found.set(tenant, snapshot)
    } catch (error) {
      log.error('configuration snapshot not readable', { file: join(folder, name), error: String(error) })
    }
  }
  return found
}
