import { causeOf, causeOfOutcome } from '#contract/causes.ts'
import type { Outcome, OutcomeKind } from '#contract/outcome.ts'

/** The Q.850 cause in a Reason header value (RFC 3326 §2), or null when it carries another protocol's. Total. */
export function q850Of(reason: string): number | null {
  const found = /(?:^|,)\s*Q\.850\s*(?:;[^,]*?)?;\s*cause\s*=\s*(\d{1,3})/i.exec(reason)
  const cause = found === null ? 0 : Number(found[1])
  return cause >= 1 && cause <= 127 ? cause : null
}

/** Values of a Reason header that say more than a cause. */
export const reasons = {
  /** Shows no missed call on the phones that understand it (RFC 3326 §3.1). */
  elsewhere: 'SIP;cause=200;text="Call completed elsewhere"',
} as const

/** Causes of outcomes that are our own doing, or that came without one. */
const causeOfKind: Readonly<Partial<Record<OutcomeKind, number>>> = {
  busy: 17,
  'no-answer': 19,
  rejected: 21,
  unreachable: 20,
  'wrong-number': 1,
  barred: 21,
  overloaded: 42,
  'media-lost': 41,
  'too-long': 31,
  failed: 41,
}

/**
 * The Reason (RFC 3326) by which a peer is told how a call ended, so that gateways behind it can tell the telephone network: the cause that
 * another network gave, else the one that its status or the outcome comes to. Undefined where it was simply over.
 */
export function reasonOf(outcome: Outcome): string | undefined {
  const q850 = outcome.q850 ?? causeOfOutcome(outcome)?.q850 ?? causeOfKind[outcome.kind]
  if (q850 === undefined) return undefined
  const text = causeOf(q850)?.text
  return text === undefined ? `Q.850;cause=${q850}` : `Q.850;cause=${q850};text="${text}"`
}
