import type { Fact } from '#contract/facts.ts'
import type { TenantId } from '#server/store/face.ts'
import type { CallRow } from '#server/history/call-row.ts'

/** Call history of a company, as far as it is in the database (a second behind, or as long as the database was away). */
export interface History {
  /** Newest first. */
  calls(tenant: TenantId, query: CallQuery): Promise<CallPage>
  /** Null: no such call here. */
  call(tenant: TenantId, id: string): Promise<CallRow | null>
  /** Every fact of a call, in order; empty when the call is unknown. At most 10,000. */
  timeline(tenant: TenantId, call: string): Promise<Fact[]>
}

export interface CallQuery {
  /** Started at or after / before, milliseconds since the Unix epoch. Default: the last 31 days; at most 400 days apart. */
  readonly from?: number
  readonly to?: number
  readonly direction?: CallRow['direction']
  /** Word of the outcome. */
  readonly outcome?: CallRow['outcome']['kind']
  readonly missed?: boolean
  readonly recorded?: boolean
  /** Who took part: a person's id, device id or trunk id. */
  readonly participant?: string
  /** Digits or letters anywhere in a number or name. */
  readonly text?: string
  /** 1 to 500, default 50. */
  readonly limit?: number
  /** From `CallPage.next`. A foreign or broken one is refused with `BadCursorError`. */
  readonly cursor?: string
}
export interface CallPage {
  readonly calls: CallRow[]
  readonly next: string | null
}
