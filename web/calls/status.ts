import type { CallView, LegView } from '#contract/api/calls.ts'

/** What a call is doing, for a person who looks at it; `who`: the legs that it is about. */
export type Status =
  | { kind: 'connecting' | 'listening' | 'conference' | 'ringing' | 'talking' | 'held'; who: readonly LegView[] }
  | { kind: 'missed' | 'answered' | 'abandoned' | 'other'; who: readonly LegView[] }

/** Of a call in progress or ended. `meets`: it is somebody's in a conference. */
export function statusOf(call: CallView, meets = false): Status {
  if (call.endedAt !== null) {
    if (call.missed) return { kind: 'missed', who: call.legs.filter((leg) => leg.ringingAt !== null && leg.role === 'callee') }
    // An answer alone is not yet a conversation: whoever called may have left while listening, or have been refused after their own phone answered.
    if (call.outcome.kind === 'abandoned') return { kind: 'abandoned', who: [] }
    if (call.outcome.kind !== 'answered') return { kind: 'other', who: [] }
    return { kind: call.answeredAt === null ? 'abandoned' : 'answered', who: [] }
  }
  const there = call.legs.filter((leg) => leg.endedAt === null)
  const open = there.filter((leg) => leg.answeredAt !== null)
  const held = open.filter((leg) => leg.heldAt !== undefined)
  if (held.length > 0) return { kind: 'held', who: held }
  if (open.length > 1) return { kind: 'talking', who: open.filter((leg) => leg.role === 'callee') }
  const ringing = there.filter((leg) => leg.role === 'callee' && leg.answeredAt === null && leg.ringingAt !== null)
  if (ringing.length > 0) return { kind: 'ringing', who: ringing }
  if (there.some((leg) => leg.role === 'callee' && leg.answeredAt === null)) return { kind: 'connecting', who: there }
  if (open.length === 1) return { kind: meets ? 'conference' : 'listening', who: open }
  return { kind: 'connecting', who: open }
}

/** Since when the call does what `statusOf` says: what its timer counts from. Milliseconds since the Unix epoch. */
export function statusSince(call: CallView): number {
  const { kind, who } = statusOf(call)
  if (kind === 'held') return Math.max(...who.map((leg) => leg.heldAt ?? call.startedAt))
  if (kind === 'talking') return call.answeredAt ?? call.startedAt
  if (kind === 'ringing') return Math.min(...who.map((leg) => leg.ringingAt ?? call.startedAt))
  return call.startedAt
}

/** Whom a leg reached, as a person would say it: `Anna (100)`. Of a trunk's leg, only the number says who it is. */
export function nameOf({ endpoint }: { endpoint: LegView['endpoint'] }): string {
  return endpoint.kind === 'device' && endpoint.name !== undefined ? `${endpoint.name} (${endpoint.number})` : endpoint.number
}
