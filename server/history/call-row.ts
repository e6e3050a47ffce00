import type { EndpointRef, Fact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { LegQuality } from '#contract/quality.ts'

/** One call in the history: what its facts add up to. Instants are milliseconds since the Unix epoch. */
export interface CallRow {
  readonly tenant: string
  readonly id: string
  readonly direction: 'inbound' | 'outbound' | 'internal'
  readonly from: { readonly number: string; readonly name?: string }
  readonly to: { readonly number: string }
  readonly startedAt: number
  /** When the first callee answered; null when nobody did. */
  readonly answeredAt: number | null
  /** Null while the call goes on. */
  readonly endedAt: number | null
  /** From the first ringing of a callee to the first answer, or to the last callee's end. */
  readonly ringMs: number
  /** From the first callee's answer to the end. */
  readonly talkMs: number
  /** Of the whole call. While it goes on: what it would be now. */
  readonly outcome: Outcome
  /** The last callee to talk. */
  readonly answeredBy: EndpointRef | null
  /** A call from outside or inside that rang or should have rung somebody, and that nobody took, here or elsewhere. */
  readonly missed: boolean
  /** The trunk the call came in on or went out by. */
  readonly trunk: string | null
  readonly recordings: readonly string[]
  readonly legs: readonly LegRow[]
  readonly config: number
  readonly rehearsedAt: number | null
  /** The server died during the call and took it over again. */
  readonly recovered: boolean
  /** What the caller's signature is worth; known while the call is in memory, later from its facts. */
  readonly identity?: Pick<Extract<Fact, { kind: 'call.identity-checked' }>, 'verdict' | 'attestation' | 'why'>
}

/** One leg of a call in the history. */
export interface LegRow {
  readonly leg: string
  readonly role: 'caller' | 'callee'
  readonly endpoint: EndpointRef
  readonly startedAt: number
  readonly ringingAt: number | null
  readonly answeredAt: number | null
  readonly endedAt: number | null
  /** Since when it is on hold; absent when it is not. */
  readonly heldAt?: number
  readonly outcome: Outcome | null
  /** How its audio came through; absent while nothing is known. */
  readonly quality?: LegQuality
}
