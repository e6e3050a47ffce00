import type { ColumnType, Generated } from 'kysely'
import type { EndpointRef, Fact } from '#contract/facts.ts'

/** The tables of schema `centrala`, as Kysely sees them. Every table has `tenant` (in `tenant` itself it is `id`) and row-level security. */
export interface Tables {
  tenant: TenantTable
  config_version: ConfigVersionTable
  secret: SecretTable
  fact: FactTable
  call: CallTable
  recording: RecordingTable
  job: JobTable
  api_key: ApiKeyTable
  idempotency_key: IdempotencyKeyTable
}

/** Written as a Date, ISO text; read as a Date. */
type Instant = ColumnType<Date, Date | string, Date | string>
type InstantOrNull = ColumnType<Date | null, Date | string | null, Date | string | null>
/** Written as JSON text (so that arrays are not taken for PostgreSQL arrays); read parsed. */
type Json<T> = ColumnType<T, string, string>
type JsonOrNull<T> = ColumnType<T | null, string | null, string | null>

export interface TenantTable {
  id: string
  name: string
  state: 'active' | 'suspended'
  created_at: Instant
}

export interface ConfigVersionTable {
  tenant: string
  version: number
  author: string
  comment: string
  at: Instant
  documents: Json<unknown[]>
}

export interface SecretTable {
  tenant: string
  id: string
  /** Sealed by `config-store/seal.ts`; never readable here. */
  sealed: string
  at: Instant
}

/** Partitioned by month of `at`. */
export interface FactTable {
  tenant: string
  /** Empty for facts of the company. */
  call: string
  seq: number
  at: Instant
  kind: string
  body: Json<Fact>
}

/** One row per call. Partitioned by month of `started_at`. */
export interface CallTable {
  tenant: string
  id: string
  started_at: Instant
  answered_at: InstantOrNull
  ended_at: InstantOrNull
  direction: 'inbound' | 'outbound' | 'internal'
  from_number: string
  from_name: string | null
  to_number: string
  answered_by: JsonOrNull<EndpointRef>
  trunk: string | null
  ring_ms: number
  talk_ms: number
  outcome: string
  outcome_by: string
  sip: number | null
  q850: number | null
  detail: string | null
  missed: boolean
  recordings: string[]
  legs: Json<unknown[]>
  /** Devices, trunks and persons that took part. */
  participants: string[]
  config: number
  rehearsed_at: InstantOrNull
  recovered: boolean
  /** Numbers and names, in lower case, for finding. */
  search: string
}

export interface RecordingTable {
  tenant: string
  id: string
  call: string
  started_at: Instant
  ms: number
  bytes: number
  /** Below the tenant's recordings folder. */
  path: string
  turns: Json<unknown[]>
  gaps: Json<unknown[]>
  mailed_at: InstantOrNull
  mailed_to: string | null
  /** To be deleted after; null: kept. */
  keep_until: InstantOrNull
  /** When its file was deleted. */
  expired_at: InstantOrNull
}

export interface JobTable {
  id: Generated<string>
  tenant: string
  kind: string
  /** The same key is never queued twice. */
  key: string
  payload: Json<unknown>
  state: 'waiting' | 'done' | 'dead'
  attempts: number
  run_at: Instant
  leased_until: InstantOrNull
  last_error: string | null
  created_at: Instant
  finished_at: InstantOrNull
}

export interface ApiKeyTable {
  id: string
  /** Null: a key of the provider, for all companies. */
  tenant: string | null
  name: string
  /** The part that may be shown. */
  prefix: string
  /** SHA-256 of the whole key, hexadecimal. */
  hash: string
  role: string
  created_at: Instant
  last_used_at: InstantOrNull
  revoked_at: InstantOrNull
}

export interface IdempotencyKeyTable {
  tenant: string
  key: string
  /** SHA-256 of method, route and body, hexadecimal. */
  fingerprint: string
  /** Null while the first request is still being worked on. */
  status: number | null
  response: JsonOrNull<unknown>
  created_at: Instant
}
