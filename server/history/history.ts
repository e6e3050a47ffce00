import { sql } from 'kysely'
import type { Clock } from '#base/clock.ts'
import type { Fact } from '#contract/facts.ts'
import type { CallRow } from '#server/history/call-row.ts'
import { fromColumns } from '#server/history/columns.ts'
import type { CallPage, CallQuery, History } from '#server/history/face.ts'
import { makeCursor, parseCursor, type Store, type TenantDb, type TenantId } from '#server/store/index.ts'

const dayMs = 86_400_000
const defaultDays = 31
const longestDays = 400
const longestTimeline = 10_000

/** The history that is in `store`. */
export function openHistory(store: Store, clock: Clock): History {
  return {
    calls: (tenant, query) => store.forTenant(tenant, (db) => page(db, tenant, { ...query, ...range(query, clock.wall()) })),
    call: (tenant, id) => store.forTenant(tenant, (db) => one(db, tenant, id)),
    timeline: (tenant, call) => store.forTenant(tenant, (db) => timeline(db, tenant, call)),
  }
}

/** The time asked for, never unbounded: what a query costs grows with what it shows. */
function range(query: CallQuery, now: number): { from: number; to: number } {
  const to = query.to ?? now + dayMs
  const from = Math.max(query.from ?? to - defaultDays * dayMs, to - longestDays * dayMs)
  return { from, to }
}

async function page(db: TenantDb, tenant: TenantId, query: CallQuery & { from: number; to: number }): Promise<CallPage> {
  const limit = Math.min(500, Math.max(1, Math.trunc(query.limit ?? 50)))
  let calls = db
    .selectFrom('call')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('started_at', '>=', new Date(query.from))
    .where('started_at', '<', new Date(query.to))
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (query.cursor !== undefined) {
    const { at, id } = parseCursor(query.cursor)
    calls = calls.where(sql<boolean>`(started_at, id) < (${at}, ${id})`)
  }
  if (query.direction !== undefined) calls = calls.where('direction', '=', query.direction)
  if (query.outcome !== undefined) calls = calls.where('outcome', '=', query.outcome)
  if (query.missed !== undefined) calls = calls.where('missed', '=', query.missed)
  if (query.recorded !== undefined) calls = calls.where(sql<boolean>`(cardinality(recordings) > 0) = ${query.recorded}`)
  if (query.participant !== undefined) calls = calls.where(sql<boolean>`${query.participant} = any (participants)`)
  if (query.text !== undefined && query.text !== '') calls = calls.where(sql<boolean>`position(${query.text.toLowerCase()} in search) > 0`)
  const rows = (await calls.execute()).map(fromColumns)
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { calls: rows.slice(0, limit), next: last === undefined ? null : makeCursor(last.startedAt, last.id) }
}

async function one(db: TenantDb, tenant: TenantId, id: string): Promise<CallRow | null> {
  const row = await db.selectFrom('call').selectAll().where('tenant', '=', tenant).where('id', '=', id).limit(1).executeTakeFirst()
  return row === undefined ? null : fromColumns(row)
}

async function timeline(db: TenantDb, tenant: TenantId, call: string): Promise<Fact[]> {
  // The empty name is where the company's own facts stand.
  if (call === '') return []
  const facts = db
    .selectFrom('fact')
    .select('body')
    .where('tenant', '=', tenant)
    .where('call', '=', call)
    .orderBy('seq')
    .limit(longestTimeline)
  return (await facts.execute()).map(({ body }) => body)
}
