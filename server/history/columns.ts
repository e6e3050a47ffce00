import type { Selectable } from 'kysely'
import type { Outcome } from '#contract/outcome.ts'
import type { CallRow, LegRow } from '#server/history/call-row.ts'
import type { CallTable } from '#server/store/tables.ts'

/** A row as a JSON object with one field per column of table `call`, for `jsonb_populate_recordset`. */
export function toColumns(row: CallRow): Record<string, unknown> {
  return {
    tenant: row.tenant,
    id: row.id,
    started_at: iso(row.startedAt),
    answered_at: iso(row.answeredAt),
    ended_at: iso(row.endedAt),
    direction: row.direction,
    from_number: row.from.number,
    from_name: row.from.name ?? null,
    to_number: row.to.number,
    answered_by: row.answeredBy,
    trunk: row.trunk,
    ring_ms: row.ringMs,
    talk_ms: row.talkMs,
    outcome: row.outcome.kind,
    outcome_by: row.outcome.by,
    sip: row.outcome.sip ?? null,
    q850: row.outcome.q850 ?? null,
    detail: row.outcome.detail ?? null,
    missed: row.missed,
    recordings: row.recordings,
    legs: row.legs,
    participants: participants(row),
    config: row.config,
    rehearsed_at: iso(row.rehearsedAt),
    recovered: row.recovered,
    search: searchText(row),
  }
}

/** The call that columns stand for. */
export function fromColumns(columns: Selectable<CallTable>): CallRow {
  return {
    tenant: columns.tenant,
    id: columns.id,
    direction: columns.direction,
    from: { number: columns.from_number, ...(columns.from_name === null ? {} : { name: columns.from_name }) },
    to: { number: columns.to_number },
    startedAt: columns.started_at.getTime(),
    answeredAt: columns.answered_at?.getTime() ?? null,
    endedAt: columns.ended_at?.getTime() ?? null,
    ringMs: columns.ring_ms,
    talkMs: columns.talk_ms,
    outcome: outcomeOf(columns),
    answeredBy: columns.answered_by,
    missed: columns.missed,
    trunk: columns.trunk,
    recordings: columns.recordings,
    legs: columns.legs as LegRow[],
    config: columns.config,
    rehearsedAt: columns.rehearsed_at?.getTime() ?? null,
    recovered: columns.recovered,
  }
}

function outcomeOf({ outcome, outcome_by, sip, q850, detail }: Selectable<CallTable>): Outcome {
  return {
    kind: outcome as Outcome['kind'],
    by: outcome_by as Outcome['by'],
    ...(sip === null ? {} : { sip }),
    ...(q850 === null ? {} : { q850 }),
    ...(detail === null ? {} : { detail }),
  }
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

function participants(row: CallRow): string[] {
  const ids: string[] = []
  for (const { endpoint } of row.legs) {
    if (!ids.includes(endpoint.id)) ids.push(endpoint.id)
    if (endpoint.person !== undefined && !ids.includes(endpoint.person)) ids.push(endpoint.person)
  }
  return ids
}

function searchText(row: CallRow): string {
  const words = new Set([row.from.number, row.from.name ?? '', row.to.number])
  for (const { endpoint } of row.legs) words.add(endpoint.number).add(endpoint.name ?? '')
  return [...words].join('\n').toLowerCase()
}
