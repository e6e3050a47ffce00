import { sql } from 'kysely'
import type { Log } from '#base/log.ts'
import type { Fact } from '#contract/facts.ts'
import { toColumns } from '#server/history/columns.ts'
import type { CallRow } from '#server/history/call-row.ts'
import { CallDraft, project } from '#server/history/project.ts'
import type { FactSink, JournalSlice } from '#server/journal/index.ts'
import { StoreAwayError, StoreBusyError, type Store, type SystemDb } from '#server/store/index.ts'

/** Calls whose facts are added up in memory at most; the rest is read back from the table when it ends. */
const maxDrafts = 20_000

export interface FactSinkSettings {
  readonly store: Store
  readonly log: Log
  /** Takes what the database refuses for good, so that it does not hold up the rest. The owner raises the alarm. */
  readonly onRefused?: (fact: Fact, why: string) => void
}

/** A call of which a batch tells. Without a draft what is known of it is in the table. */
interface Touched {
  readonly tenant: string
  draft: CallDraft | null
}

/** Writes facts to table `fact`, and the row of each call that has ended to table `call`, in one transaction per batch. */
export function factSink(settings: FactSinkSettings): FactSink {
  return new TableSink(settings)
}

class TableSink implements FactSink {
  #settings: FactSinkSettings
  #drafts = new Map<string, CallDraft>()

  constructor(settings: FactSinkSettings) {
    this.#settings = settings
  }

  async write(slice: JournalSlice): Promise<void> {
    try {
      await this.#writeBatch(slice.facts, slice.json)
    } catch (error) {
      if (error instanceof StoreAwayError || error instanceof StoreBusyError) throw error
      this.#settings.log.warn('the database refuses a batch of facts', { facts: slice.facts.length, error: String(error) })
      // What was added up holds the refused texts too.
      for (const { call } of slice.facts) this.#drafts.delete(call ?? '')
      await this.#writeCarefully(slice.facts.map(storable))
    }
  }

  /** Halves the batch until what is refused stands alone. */
  async #writeCarefully(facts: readonly Fact[]): Promise<void> {
    try {
      await this.#writeBatch(facts, Buffer.from(JSON.stringify(facts)))
    } catch (error) {
      if (error instanceof StoreAwayError || error instanceof StoreBusyError) throw error
      const [only] = facts
      if (only === undefined) return
      if (facts.length === 1) return this.#refuse(only, String(error))
      const half = facts.length >> 1
      await this.#writeCarefully(facts.slice(0, half))
      await this.#writeCarefully(facts.slice(half))
    }
  }

  #refuse(fact: Fact, why: string): void {
    this.#settings.log.error('the database refuses a fact', { kind: fact.kind, call: fact.call, seq: fact.seq, why })
    this.#settings.onRefused?.(fact, why)
  }

  async #writeBatch(facts: readonly Fact[], json: Buffer): Promise<void> {
    const touched = this.#takeIn(facts)
    await this.#settings.store.acrossTenants('facts from the journal', async (db) => {
      await insertFacts(db, json)
      await this.#writeEnded(db, touched)
    })
    for (const [call, { draft }] of touched) if (draft?.hasEnded === true) this.#drafts.delete(call)
  }

  /** Adds facts to the drafts. Returns the calls concerned. */
  #takeIn(facts: readonly Fact[]): Map<string, Touched> {
    const touched = new Map<string, Touched>()
    for (const fact of facts) {
      const { call, seq } = fact
      if (call === undefined) continue
      let of = touched.get(call)
      if (of === undefined) touched.set(call, (of = { tenant: fact.tenant, draft: this.#drafts.get(call) ?? null }))
      if (of.draft === null && seq === 1 && this.#drafts.size < maxDrafts) this.#drafts.set(call, (of.draft = new CallDraft()))
      if (of.draft === null) continue
      if (seq <= of.draft.lastSeq + 1) of.draft.apply(fact)
      else {
        // A gap means that another life wrote what is missing: the table has it.
        this.#drafts.delete(call)
        of.draft = null
      }
    }
    return touched
  }

  async #writeEnded(db: SystemDb, touched: Map<string, Touched>): Promise<void> {
    const rows: CallRow[] = []
    for (const [call, { tenant, draft }] of touched) {
      if (draft?.hasEnded === false) continue
      const row = draft === null ? await projectFromTable(db, tenant, call) : draft.toRow()
      if (row !== null && row.endedAt !== null) rows.push(row)
    }
    if (rows.length > 0) await upsertCalls(db, rows)
  }
}

/** `json`: an array, as bytes: as a text it would be copied and converted on its way to the database. */
async function insertFacts(db: SystemDb, json: Buffer): Promise<void> {
  await sql`insert into fact (tenant, call, seq, at, kind, body)
    select f->>'tenant', coalesce(f->>'call', ''), (f->>'seq')::integer, to_timestamp((f->>'at')::float8 / 1000), f->>'kind', f
    from jsonb_array_elements(convert_from(${json}::bytea, 'UTF8')::jsonb) f on conflict do nothing`.execute(db)
}

async function projectFromTable(db: SystemDb, tenant: string, call: string): Promise<CallRow | null> {
  const facts = await db.selectFrom('fact').select('body').where('tenant', '=', tenant).where('call', '=', call).orderBy('seq').execute()
  return project(facts.map(({ body }) => body))
}

async function upsertCalls(db: SystemDb, rows: readonly CallRow[]): Promise<void> {
  await sql`insert into call select * from jsonb_populate_recordset(null::call, ${JSON.stringify(rows.map(toColumns))}::jsonb)
    on conflict (tenant, started_at, id) do update set
      answered_at = excluded.answered_at, ended_at = excluded.ended_at, answered_by = excluded.answered_by, trunk = excluded.trunk,
      ring_ms = excluded.ring_ms, talk_ms = excluded.talk_ms, outcome = excluded.outcome, outcome_by = excluded.outcome_by, sip = excluded.sip,
      q850 = excluded.q850, detail = excluded.detail, missed = excluded.missed, recordings = excluded.recordings, legs = excluded.legs,
      participants = excluded.participants, recovered = excluded.recovered, search = excluded.search`.execute(db)
}

/** The fact with texts that PostgreSQL can hold: no NUL, no half of a surrogate pair. */
function storable(fact: Fact): Fact {
  return JSON.parse(JSON.stringify(fact), (_key, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value,
  ) as Fact
}
