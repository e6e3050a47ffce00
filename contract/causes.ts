import type { OutcomeKind } from '#contract/outcome.ts'

/** Why networks say that a call came to nothing, in words that stay when codes change. */
export type CauseName =
  | 'unallocated'
  | 'no-route'
  | 'normal'
  | 'busy'
  | 'no-response'
  | 'no-answer'
  | 'absent'
  | 'rejected'
  | 'number-changed'
  | 'out-of-order'
  | 'invalid-format'
  | 'facility-rejected'
  | 'no-circuit'
  | 'network-down'
  | 'temporary-failure'
  | 'congestion'
  | 'resource-unavailable'
  | 'barred'
  | 'incompatible'
  | 'service-missing'
  | 'timer-expired'
  | 'interworking'

/** One row: a cause of ITU-T Q.850, the SIP status that stands for it (RFC 3398 §8.2.6.1), and what it comes to. */
export interface Cause {
  readonly name: CauseName
  readonly q850: number
  readonly sip: number
  /** Null: says nothing about the outcome that the status does not. */
  readonly kind: OutcomeKind | null
  /** Another trunk may reach the number where this one could not. `status`: the SIP status says. */
  readonly elsewhere: 'may-help' | 'is-no-use' | 'status'
  /** As Q.850 has it, for the text of a Reason header. */
  readonly text: string
}

type Row = readonly [q850: number, sip: number, name: CauseName, kind: OutcomeKind | null, elsewhere: Cause['elsewhere'], text: string]

/** The first row of a SIP status is what the status means when no cause comes with it. */
const table: readonly Row[] = [
  [1, 404, 'unallocated', 'wrong-number', 'is-no-use', 'Unallocated (unassigned) number'],
  [2, 404, 'no-route', 'unreachable', 'may-help', 'No route to specified transit network'],
  [3, 404, 'no-route', 'unreachable', 'may-help', 'No route to destination'],
  [16, 480, 'normal', null, 'status', 'Normal call clearing'],
  [17, 486, 'busy', 'busy', 'is-no-use', 'User busy'],
  [19, 480, 'no-answer', 'no-answer', 'is-no-use', 'No answer from user (user alerted)'],
  [18, 408, 'no-response', 'no-answer', 'is-no-use', 'No user responding'],
  [20, 480, 'absent', 'unreachable', 'is-no-use', 'Subscriber absent'],
  [21, 603, 'rejected', 'rejected', 'is-no-use', 'Call rejected'],
  [22, 410, 'number-changed', 'wrong-number', 'is-no-use', 'Number changed'],
  [23, 410, 'number-changed', 'wrong-number', 'is-no-use', 'Redirection to new destination'],
  [26, 404, 'unallocated', 'wrong-number', 'is-no-use', 'Non-selected user clearing'],
  [27, 502, 'out-of-order', 'unreachable', 'status', 'Destination out of order'],
  [28, 484, 'invalid-format', 'wrong-number', 'is-no-use', 'Invalid number format (address incomplete)'],
  [29, 501, 'facility-rejected', 'failed', 'status', 'Facility rejected'],
  [31, 480, 'normal', null, 'status', 'Normal, unspecified'],
  [34, 503, 'no-circuit', 'overloaded', 'may-help', 'No circuit/channel available'],
  [38, 503, 'network-down', 'overloaded', 'may-help', 'Network out of order'],
  [41, 503, 'temporary-failure', null, 'may-help', 'Temporary failure'],
  [42, 503, 'congestion', 'overloaded', 'may-help', 'Switching equipment congestion'],
  [43, 503, 'congestion', 'overloaded', 'may-help', 'Access information discarded'],
  [44, 503, 'no-circuit', 'overloaded', 'may-help', 'Requested circuit/channel not available'],
  [47, 503, 'resource-unavailable', 'overloaded', 'may-help', 'Resource unavailable, unspecified'],
  [50, 403, 'facility-rejected', 'rejected', 'may-help', 'Requested facility not subscribed'],
  [55, 403, 'barred', 'rejected', 'is-no-use', 'Incoming calls barred within CUG'],
  [57, 403, 'barred', 'rejected', 'may-help', 'Bearer capability not authorized'],
  [58, 503, 'resource-unavailable', 'overloaded', 'may-help', 'Bearer capability not presently available'],
  [65, 488, 'incompatible', 'failed', 'may-help', 'Bearer capability not implemented'],
  [69, 501, 'service-missing', 'failed', 'may-help', 'Requested facility not implemented'],
  [79, 501, 'service-missing', 'failed', 'may-help', 'Service or option not implemented, unspecified'],
  [87, 403, 'barred', 'rejected', 'is-no-use', 'User not member of CUG'],
  [88, 503, 'incompatible', 'failed', 'may-help', 'Incompatible destination'],
  [102, 504, 'timer-expired', 'failed', 'may-help', 'Recovery on timer expiry'],
  [111, 500, 'interworking', 'failed', 'status', 'Protocol error, unspecified'],
  [127, 500, 'interworking', null, 'status', 'Interworking, unspecified'],
]

export const causes: readonly Cause[] = table.map(([q850, sip, name, kind, elsewhere, text]) => ({
  q850,
  sip,
  name,
  kind,
  elsewhere,
  text,
}))

const byQ850 = new Map(causes.map((cause) => [cause.q850, cause]))
const bySip = new Map(causes.toReversed().map((cause) => [cause.sip, cause]))
/** Statuses whose meaning is that of a cause, though RFC 3398 makes them of another. */
const alike: ReadonlyMap<number, number> = new Map([
  [600, 17],
  [604, 1],
  [607, 21],
  [608, 21],
  [485, 1],
  [408, 18],
  [606, 65],
])

/** Null for a cause that is not in the table. */
export function causeOf(q850: number): Cause | null {
  return byQ850.get(q850) ?? null
}

/** What a SIP status says in the words of Q.850 (RFC 3398 §7.2.4.1); null for one that says nothing of the kind. */
export function causeOfStatus(sip: number): Cause | null {
  const like = alike.get(sip)
  if (like !== undefined) return causeOf(like)
  // 480 comes from phones and gateways for anything at all.
  return sip === 480 || sip === 403 || sip === 500 ? null : (bySip.get(sip) ?? null)
}

/** The cause that tells an outcome best: the one it carries, else that of its status; null when neither says anything. */
export function causeOfOutcome(outcome: { q850?: number; sip?: number }): Cause | null {
  const said = outcome.q850 === undefined ? null : causeOf(outcome.q850)
  return said !== null && said.name !== 'normal' ? said : outcome.sip === undefined ? null : causeOfStatus(outcome.sip)
}
