import type { KeyObject } from 'node:crypto'
import { sql } from 'kysely'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type {
  ConfigChange,
  ConfigDocument,
  ConfigStore,
  ConfigVersion,
  ConfigVersionInfo,
  SecretReference,
} from '#server/config-store/face.ts'
import { seal, unseal } from '#server/config-store/seal.ts'
import { maskSecrets, referencesIn, secretFields, takeSecrets, type SecretFields } from '#server/config-store/secrets.ts'
import { readSnapshots, writeSnapshot } from '#server/config-store/snapshot.ts'
import type { Store, SystemDb, TenantDb, TenantId } from '#server/store/index.ts'

export interface ConfigStoreSettings {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** From `secretKey`. */
  readonly key: KeyObject
  /** Folder of the snapshots. */
  readonly folder: string
  /** Default `secretFields`. */
  readonly fields?: SecretFields
}

/** Takes up the configuration of every company: from the database, or, while it is away, from the snapshots (and from the database once it is back). */
export async function openConfigStore(settings: ConfigStoreSettings): Promise<ConfigStore & AsyncDisposable> {
  const config = new VersionedConfig(settings)
  await config.begin()
  return config
}

interface Held {
  version: ConfigVersion
  /** Sealed, by reference. */
  secrets: Map<string, string>
}

class VersionedConfig implements ConfigStore, AsyncDisposable {
  #settings: ConfigStoreSettings
  #fields: SecretFields
  #held = new Map<TenantId, Held>()
  #listeners = new Set<(tenant: TenantId, version: ConfigVersion) => void>()
  #watch: Disposable
  #writing: Promise<void> = Promise.resolve()

  constructor(settings: ConfigStoreSettings) {
    this.#settings = settings
    this.#fields = settings.fields ?? secretFields
    this.#watch = settings.store.onChange((health) => {
      if (health.state === 'ready') void this.#inTurn(() => this.#refresh())
    })
  }

  async begin(): Promise<void> {
    for (const [tenant, { version, secrets }] of await readSnapshots(this.#settings.folder, this.#settings.log)) {
      this.#held.set(tenant, { version, secrets: new Map(Object.entries(secrets)) })
    }
    if (this.#settings.store.health().state === 'ready') await this.#refresh()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]()
    await this.#writing
  }

  current(tenant: TenantId): ConfigVersion | null {
    return this.#held.get(tenant)?.version ?? null
  }

  tenants(): TenantId[] {
    return [...this.#held.keys()]
  }

  async at(tenant: TenantId, version: number): Promise<ConfigVersion | null> {
    const current = this.current(tenant)
    if (current?.version === version) return current
    if (!Number.isSafeInteger(version) || version < 1 || version > 2 ** 31 - 1) return null
    const row = await this.#settings.store.forTenant(tenant, (db) =>
      db.selectFrom('config_version').selectAll().where('tenant', '=', tenant).where('version', '=', version).executeTakeFirst(),
    )
    return row === undefined ? null : toVersion(row)
  }

  async history(tenant: TenantId, options: { before?: number; limit?: number } = {}): Promise<ConfigVersionInfo[]> {
    const limit = Math.min(500, Math.max(1, Math.trunc(options.limit ?? 50)))
    const rows = await this.#settings.store.forTenant(tenant, (db) => {
      let query = db.selectFrom('config_version').select(['version', 'author', 'comment', 'at']).where('tenant', '=', tenant)
      if (options.before !== undefined) query = query.where('version', '<', options.before)
      return query.orderBy('version', 'desc').limit(limit).execute()
    })
    return rows.map((row) => ({ ...row, at: row.at.getTime() }))
  }

  async everIn(tenant: TenantId, field: string): Promise<Set<string>> {
    const rows = await this.#settings.store.forTenant(tenant, (db) =>
      db
        .selectFrom('config_version')
        .innerJoinLateral(sql<{ value: unknown }>`jsonb_array_elements(config_version.documents)`.as<'document'>('document'), (join) =>
          join.onTrue(),
        )
        .where('tenant', '=', tenant)
        .select(sql<string | null>`document.value ->> ${field}`.as('text'))
        .distinct()
        .execute(),
    )
    return new Set(rows.flatMap(({ text }) => text ?? []))
  }

  async save(
    tenant: TenantId,
    change: ConfigChange,
  ): Promise<{ kind: 'saved'; version: ConfigVersion } | { kind: 'conflict'; current: number }> {
    const before = this.#held.get(tenant)
    const vault = { fields: this.#fields, reveal: (reference: SecretReference) => this.reveal(tenant, reference) }
    const { documents, fresh } = takeSecrets(change.documents, before?.version.documents ?? [], vault)
    const sealed = new Map([...fresh].map(([id, text]) => [id, seal(this.#settings.key, text, contextOf(tenant, id))]))
    const { author, comment } = change
    const version: ConfigVersion = { version: change.expected + 1, author, comment, at: Math.round(this.#settings.clock.wall()), documents }
    const current = await this.#settings.store.forTenant(tenant, (db) => write(db, tenant, { version, sealed }))
    if (current !== null) {
      await this.#inTurn(() => this.#refresh(tenant))
      return { kind: 'conflict', current }
    }
    const secrets = new Map([...(before?.secrets ?? []), ...sealed])
    await this.#inTurn(() => this.#hold(tenant, { version, secrets }))
    return { kind: 'saved', version }
  }

  async rollback(tenant: TenantId, to: number, change: Omit<ConfigChange, 'documents'>) {
    const old = await this.at(tenant, to)
    if (old === null) return { kind: 'missing' } as const
    return this.save(tenant, { ...change, documents: old.documents })
  }

  reveal(tenant: TenantId, reference: SecretReference): string | null {
    const sealed = this.#held.get(tenant)?.secrets.get(reference.secret)
    return sealed === undefined ? null : unseal(this.#settings.key, sealed, contextOf(tenant, reference.secret))
  }

  masked(version: ConfigVersion): ConfigDocument[] {
    return maskSecrets(version.documents, this.#fields)
  }

  subscribe(listener: (tenant: TenantId, version: ConfigVersion) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** One after the other, so that memory and snapshots never go back. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(work)
    this.#writing = turn.catch((error: unknown) => this.#settings.log.warn('configuration not refreshed', { error: String(error) }))
    return turn.catch(() => undefined)
  }

  /** Takes over what the database has and we do not: of one company, or of all. */
  async #refresh(only?: TenantId): Promise<void> {
    const found = await this.#settings.store.acrossTenants('current configurations', (db) => readCurrent(db, only))
    for (const [tenant, held] of found) await this.#hold(tenant, held)
  }

  async #hold(tenant: TenantId, held: Held): Promise<void> {
    const before = this.#held.get(tenant)
    if (before !== undefined && before.version.version > held.version.version) return
    this.#held.set(tenant, held)
    if (before?.version.version !== held.version.version) this.#tell(tenant, held.version)
    const used = new Set(referencesIn(held.version.documents, this.#fields))
    const secrets = Object.fromEntries([...held.secrets].filter(([id]) => used.has(id)))
    await writeSnapshot(this.#settings.folder, tenant, { version: held.version, secrets }).catch((error: unknown) =>
      this.#settings.log.error('configuration snapshot not written', { tenant, error: String(error) }),
    )
  }

  #tell(tenant: TenantId, version: ConfigVersion): void {
    for (const listener of this.#listeners) {
      try {
        listener(tenant, version)
      } catch (error) {
        this.#settings.log.error('a listener of configuration failed', { tenant, error: String(error) })
      }
    }
  }
}

function contextOf(tenant: TenantId, id: string): string {
  return `${tenant}/${id}`
}

/** Writes the version if its predecessor is the current one: null. Otherwise the number that is current. */
async function write(
  db: TenantDb,
  tenant: TenantId,
  { version, sealed }: { version: ConfigVersion; sealed: Map<string, string> },
): Promise<number | null> {
  // Savers of one company take turns.
  await db.selectFrom('tenant').select('id').where('id', '=', tenant).forUpdate().execute()
  const { last } = await db
    .selectFrom('config_version')
    .select((by) => by.fn.max('version').as('last'))
    .where('tenant', '=', tenant)
    .executeTakeFirstOrThrow()
  const current = last ?? 0
  if (current !== version.version - 1) return current
  const at = new Date(version.at)
  for (const [id, text] of sealed) await db.insertInto('secret').values({ tenant, id, sealed: text, at }).execute()
  const { author, comment } = version
  await db
    .insertInto('config_version')
    .values({ tenant, version: version.version, author, comment, at, documents: JSON.stringify(version.documents) })
    .execute()
  return null
}

async function readCurrent(db: SystemDb, only?: TenantId): Promise<Map<TenantId, Held>> {
  let versions = db.selectFrom('config_version').selectAll().distinctOn('tenant').orderBy('tenant').orderBy('version', 'desc')
  let secrets = db.selectFrom('secret').select(['tenant', 'id', 'sealed'])
  if (only !== undefined) {
    versions = versions.where('tenant', '=', only)
    secrets = secrets.where('tenant', '=', only)
  }
  const found = new Map<TenantId, Held>()
  for (const row of await versions.execute()) found.set(row.tenant, { version: toVersion(row), secrets: new Map() })
  for (const { tenant, id, sealed } of await secrets.execute()) found.get(tenant)?.secrets.set(id, sealed)
  return found
}

function toVersion(row: { version: number; author: string; comment: string; at: Date; documents: unknown[] }): ConfigVersion {
  const { version, author, comment } = row
  return { version, author, comment, at: row.at.getTime(), documents: row.documents as ConfigDocument[] }
}
