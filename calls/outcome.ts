import { causeOf } from '#contract/causes.ts'
import type { Outcome, OutcomeKind, Party } from '#contract/outcome.ts'
import { unreachable } from '#base/unreachable.ts'
import type { Unanswered } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { q850Of } from '#calls/q850.ts'

/** What a callee's refusal means. The status says most of it; a Q.850 cause (RFC 3326), where a carrier gives one, says it better. */
export function outcomeOf(failure: SipResponse | Unanswered): Outcome {
  if (failure.kind === 'unanswered') return outcomeOfSilence(failure)
  const q850 = causeIn(failure)
  const kind = (q850 !== null ? causeOf(q850)?.kind : null) ?? kindOfStatus(failure.status)
  return {
    kind,
    by: partyOf(kind),
    sip: failure.status,
    ...(q850 !== null && { q850 }),
    detail: `${failure.status} ${failure.reason}`.trim(),
  }
}

/** Gateways add theirs to the carrier's own: one value, or one header, for each protocol (RFC 3326 §2). */
function causeIn(failure: SipResponse): number | null {
  for (const reason of failure.headers.all('Reason')) {
    const cause = q850Of(reason)
    if (cause !== null) return cause
  }
  return null
}

function outcomeOfSilence(failure: Unanswered): Outcome {
  switch (failure.why) {
    case 'too-long':
      return { kind: 'no-answer', by: 'callee', detail: failure.detail }
    case 'timeout':
    case 'transport':
      return { kind: 'unreachable', by: 'nobody', detail: failure.detail }
    default:
      return unreachable(failure.why)
  }
}

const statusKinds: Readonly<Record<number, OutcomeKind>> = {
  401: 'failed',
  403: 'rejected',
  404: 'wrong-number',
  407: 'failed',
  408: 'no-answer',
  410: 'wrong-number',
  480: 'unreachable',
  484: 'wrong-number',
  486: 'busy',
  487: 'cancelled',
  503: 'overloaded',
  600: 'busy',
  603: 'rejected',
  604: 'wrong-number',
  607: 'rejected',
  608: 'rejected',
}

function kindOfStatus(status: number): OutcomeKind {
  return statusKinds[status] ?? (status >= 500 && status < 600 ? 'failed' : status >= 300 && status < 400 ? 'unreachable' : 'failed')
}

function partyOf(kind: OutcomeKind): Party {
  switch (kind) {
    case 'busy':
    case 'no-answer':
    case 'rejected':
      return 'callee'
    case 'cancelled':
    case 'wrong-number':
      return 'caller'
    case 'overloaded':
    case 'failed':
      return 'carrier'
    default:
      return 'nobody'
  }
}

const refusals: Readonly<Record<OutcomeKind, readonly [status: number, reason: string]>> = {
  answered: [480, 'Temporarily Unavailable'],
  'answered-elsewhere': [487, 'Request Terminated'],
  busy: [486, 'Busy Here'],
  'no-answer': [480, 'Temporarily Unavailable'],
  rejected: [603, 'Decline'],
  'not-confirmed': [480, 'Temporarily Unavailable'],
  abandoned: [487, 'Request Terminated'],
  'not-begun': [480, 'Temporarily Unavailable'],
  cancelled: [487, 'Request Terminated'],
  unreachable: [480, 'Temporarily Unavailable'],
  'wrong-number': [404, 'Not Found'],
  barred: [403, 'Forbidden'],
  overloaded: [503, 'Service Unavailable'],
  'media-lost': [480, 'Temporarily Unavailable'],
  'too-long': [480, 'Temporarily Unavailable'],
  transferred: [480, 'Temporarily Unavailable'],
  completed: [480, 'Temporarily Unavailable'],
  failed: [500, 'Server Internal Error'],
}

/** What a caller who was not answered is told on the wire. */
export function refusalOf(outcome: Outcome): { status: number; reason: string } {
  const [status, reason] = refusals[outcome.kind]
  return { status, reason }
}

/** How a caller is told on the wire: by the status and words of whoever refused, where these are about the person called. */
export function tellingOf(outcome: Outcome): { status: number; words: string } {
  const { sip = 0, q850, detail } = outcome
  const { status, reason } = refusalOf(outcome)
  // A challenge that was not ours to answer is not the caller's, either; and a gateway's 5xx may stand for a cause that says more.
  const isTold = sip >= 400 && sip !== 401 && sip !== 407 && (sip < 500 || sip >= 600 || status >= 500 || q850 === undefined)
  return isTold
    ? { status: sip, words: detail?.replace(/^[3-6]\d\d /, '') ?? reason }
    : { status, words: sip === 0 ? (detail ?? reason) : reason }
}

/** An outcome of which a flow kept the kind alone, with the status and the cause of the ringing that ended so. */
export function inFull(outcome: Outcome, missed: Outcome | null): Outcome {
  return outcome.sip !== undefined || missed?.kind !== outcome.kind ? outcome : { ...missed, ...outcome }
}

/** How near each outcome came to an answer: of several parallel attempts the caller is told the best. */
const nearness: readonly OutcomeKind[] = [
  'answered',
  'no-answer',
  'not-confirmed',
  'busy',
  'rejected',
  'barred',
  'overloaded',
  'failed',
  'unreachable',
  'wrong-number',
]

/** One outcome for several attempts: the one that came nearest to an answer; `unreachable` when there was none to try. */
export function best(outcomes: readonly Outcome[]): Outcome {
  const rank = (o: Outcome): number => {
    const at = nearness.indexOf(o.kind)
    return at < 0 ? nearness.length : at
  }
  return outcomes.toSorted((a, b) => rank(a) - rank(b))[0] ?? { kind: 'unreachable', by: 'nobody', detail: 'no phone is registered' }
}

/** 6xx that speak for the person called, wherever else one asks (RFC 3261 §21.6, RFC 8197, RFC 8688). */
const finalWords: ReadonlySet<number> = new Set([600, 603, 604, 606, 607, 608])

/**
 * The other side has nobody there right now: another trunk or contact may be tried (RFC 3261 §16.7, RFC 3263 §4.3). A Q.850 cause is better
 * heard than the status: a gateway's 503 for a busy number is busy everywhere, its 404 for want of a route is not.
 */
export function isPassedOver(failure: SipResponse | Unanswered): boolean {
  if (failure.kind === 'unanswered') return failure.why !== 'too-long'
  const cause = causeIn(failure)
  const elsewhere = (cause === null ? null : causeOf(cause)?.elsewhere) ?? 'status'
  if (elsewhere !== 'status') return elsewhere === 'may-help' && !finalWords.has(failure.status)
  // 430: the proxy next to the phone has lost that flow, another may live (RFC 5626 §5.3.1).
  return failure.status === 408 || failure.status === 430 || (failure.status >= 500 && !finalWords.has(failure.status))
}

/** The peer as a whole takes no calls now; other failures may be about one number only. */
export function isDead(failure: SipResponse | Unanswered): boolean {
  return failure.kind === 'unanswered' ? failure.why !== 'too-long' : failure.status === 503 && isPassedOver(failure)
}
