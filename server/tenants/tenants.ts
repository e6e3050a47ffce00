import type { Clock } from '#base/clock.ts'
import { isTenantId, type Store } from '#server/store/index.ts'
import type { Tenant, Tenants } from '#server/tenants/face.ts'

/** The companies in `store`. */
export function openTenants(store: Store, clock: Clock): Tenants {
  return {
    async create({ id, name }) {
      if (!isTenantId(id)) return { kind: 'bad-id' }
      const row = { id, name, state: 'active', created_at: new Date(clock.wall()) } as const
      const made = await store.acrossTenants('a new company', (db) =>
        db
          .insertInto('tenant')
          .values(row)
          .onConflict((on) => on.doNothing())
          .returningAll()
          .executeTakeFirst(),
      )
      return made === undefined ? { kind: 'taken' } : { kind: 'created', tenant: toTenant(made) }
    },
    async list() {
      const rows = await store.acrossTenants('list of companies', (db) => db.selectFrom('tenant').selectAll().orderBy('id').execute())
      return rows.map(toTenant)
    },
    async get(id) {
      if (!isTenantId(id)) return null
      const row = await store.forTenant(id, (db) => db.selectFrom('tenant').selectAll().where('id', '=', id).executeTakeFirst())
      return row === undefined ? null : toTenant(row)
    },
    rename: (id, name) => change(store, id, { name }),
    setState: (id, state) => change(store, id, { state }),
  }
}

async function change(store: Store, id: string, values: { name: string } | { state: Tenant['state'] }): Promise<boolean> {
  if (!isTenantId(id)) return false
  const { numUpdatedRows } = await store.forTenant(id, (db) => db.updateTable('tenant').set(values).where('id', '=', id).executeTakeFirst())
  return numUpdatedRows > 0n
}

function toTenant(row: { id: string; name: string; state: Tenant['state']; created_at: Date }): Tenant {
  return { id: row.id, name: row.name, state: row.state, createdAt: row.created_at.getTime() }
}
