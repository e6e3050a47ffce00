import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Selectable } from 'kysely'
import type { Clock, Millis } from '#base/clock.ts'
import type { ApiKeyInfo, ApiKeys, Caller, Role } from '#server/access/face.ts'
import { StoreAwayError, type Store, type SystemDb, type TenantId } from '#server/store/index.ts'
import type { ApiKeyTable } from '#server/store/tables.ts'

/** How long an answer about a key is believed, and how many are remembered. */
const believedMs: Millis = 30_000
const remembered = 2_000

/** The keys in `store`. */
export function openApiKeys(store: Store, clock: Clock): ApiKeys {
  return new StoredApiKeys(store, clock)
}

class StoredApiKeys implements ApiKeys {
  #store: Store
  #clock: Clock
  /** By hash, oldest first. Unknown keys are not remembered: guessing must not push known ones out. */
  #known = new Map<string, { caller: Caller; until: Millis }>()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  async create({ tenant, name, role }: { tenant: TenantId | null; name: string; role: Role }) {
    if ((tenant === null) !== (role === 'operator')) throw new RangeError('a key without a company is an operator key, and no other is')
    const prefix = `ck_${randomBytes(4).toString('hex')}`
    // 256 random bits: a plain hash of it cannot be searched.
    const key = `${prefix}_${randomBytes(32).toString('base64url')}`
    const row = { id: randomUUID(), tenant, name, prefix, hash: hashOf(key), role, created_at: new Date(this.#clock.wall()) }
    const made = await this.#in(tenant, 'a new operator key', (db) =>
      db.insertInto('api_key').values(row).returningAll().executeTakeFirstOrThrow(),
    )
    return { key, info: toInfo(made) }
  }

  async verify(key: string): Promise<Caller | null> {
    if (!/^ck_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/.test(key)) return null
    const hash = hashOf(key)
    const known = this.#known.get(hash)
    if (known !== undefined && known.until > this.#clock.now()) return known.caller
    try {
      return await this.#look(hash)
    } catch (error) {
      if (known !== undefined && error instanceof StoreAwayError) return known.caller
      throw error
    }
  }

  async list(tenant: TenantId | null): Promise<ApiKeyInfo[]> {
    const rows = await this.#in(tenant, 'list of operator keys', (db) =>
      db
        .selectFrom('api_key')
        .selectAll()
        .where('tenant', tenant === null ? 'is' : '=', tenant)
        .orderBy('created_at', 'desc')
        .limit(1_000)
        .execute(),
    )
    return rows.map(toInfo)
  }

  async revoke(tenant: TenantId | null, id: string): Promise<boolean> {
    if (!/^[0-9a-f-]{36}$/.test(id)) return false
    const revoked = await this.#in(tenant, 'an operator key revoked', (db) =>
      db
        .updateTable('api_key')
        .set({ revoked_at: new Date(this.#clock.wall()) })
        .where('tenant', tenant === null ? 'is' : '=', tenant)
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .returning('hash')
        .executeTakeFirst(),
    )
    if (revoked !== undefined) this.#known.delete(revoked.hash)
    return revoked !== undefined
  }

  async #look(hash: string): Promise<Caller | null> {
    const now = new Date(this.#clock.wall())
    const row = await this.#store.acrossTenants('whose API key is this', async (db) => {
      const found = await db.selectFrom('api_key').selectAll().where('hash', '=', hash).where('revoked_at', 'is', null).executeTakeFirst()
      if (found !== undefined) await db.updateTable('api_key').set({ last_used_at: now }).where('id', '=', found.id).execute()
      return found
    })
    this.#known.delete(hash)
    if (row === undefined) return null
    const caller: Caller = { keyId: row.id, name: row.name, tenant: row.tenant, role: row.role as Role }
    this.#known.set(hash, { caller, until: this.#clock.now() + believedMs })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= remembered) break
      this.#known.delete(oldest)
    }
    return caller
  }

  #in<T>(tenant: TenantId | null, reason: string, work: (db: SystemDb) => Promise<T>): Promise<T> {
    return tenant === null ? this.#store.acrossTenants(reason, work) : this.#store.forTenant(tenant, work)
  }
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function toInfo(row: Selectable<ApiKeyTable>): ApiKeyInfo {
  const { id, tenant, name, prefix } = row
  const at = (date: Date | null) => date?.getTime() ?? null
  return {
    id,
    tenant,
    name,
    prefix,
    role: row.role as Role,
    createdAt: row.created_at.getTime(),
    lastUsedAt: at(row.last_used_at),
    revokedAt: at(row.revoked_at),
  }
}
