import type { Clock } from '#base/clock.ts'
import type { IdempotencyKeys, IdempotencyVerdict, StoredAnswer } from '#server/access/face.ts'
import type { Store, TenantDb, TenantId } from '#server/store/index.ts'

const keptMs = 24 * 3_600_000
/** A first request that never came to an end (the server died) no longer blocks its key after this. */
const abandonedMs = 60_000

/** The keys in `store`. */
export function openIdempotencyKeys(store: Store, clock: Clock): IdempotencyKeys {
  const begin = async (db: TenantDb, claim: { tenant: TenantId; key: string; fingerprint: string }): Promise<IdempotencyVerdict> => {
    const now = clock.wall()
    await db
      .deleteFrom('idempotency_key')
      .where('key', '=', claim.key)
      .where((by) =>
        by.or([
          by('created_at', '<', new Date(now - keptMs)),
          by.and([by('status', 'is', null), by('created_at', '<', new Date(now - abandonedMs))]),
        ]),
      )
      .execute()
    const claimed = await db
      .insertInto('idempotency_key')
      .values({ ...claim, created_at: new Date(now) })
      .onConflict((on) => on.doNothing())
      .returning('key')
      .executeTakeFirst()
    if (claimed !== undefined) return { kind: 'new' }
    const found = await db.selectFrom('idempotency_key').selectAll().where('key', '=', claim.key).executeTakeFirst()
    if (found === undefined) return { kind: 'in-progress' }
    if (found.fingerprint !== claim.fingerprint) return { kind: 'mismatch' }
    return found.status === null ? { kind: 'in-progress' } : { kind: 'replay', answer: { status: found.status, body: found.response } }
  }
  return {
    begin: (tenant, key, fingerprint) => store.forTenant(tenant, (db) => begin(db, { tenant, key, fingerprint })),
    async finish(tenant, key, { status, body }: StoredAnswer) {
      const response = body === undefined ? null : JSON.stringify(body)
      await store.forTenant(tenant, (db) => db.updateTable('idempotency_key').set({ status, response }).where('key', '=', key).execute())
    },
    async forget(tenant, key) {
      await store.forTenant(tenant, (db) => db.deleteFrom('idempotency_key').where('key', '=', key).where('status', 'is', null).execute())
    },
  }
}

/** Removes keys older than a day, of all companies. For a daily round. */
export async function pruneIdempotencyKeys(store: Store, clock: Clock): Promise<void> {
  const before = new Date(clock.wall() - keptMs)
  await store.acrossTenants('old idempotency keys', (db) => db.deleteFrom('idempotency_key').where('created_at', '<', before).execute())
}
