import type { CallView, LegView } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { OutcomeKind } from '#contract/outcome.ts'

/** The facts of one kind. */
export type FactOf<K extends Fact['kind']> = Extract<Fact, { kind: K }>

/** How a call can end that somebody should have taken. */
const untaken: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>([
  'busy',
  'no-answer',
  'rejected',
  'cancelled',
  'unreachable',
  'overloaded',
  'failed',
  'media-lost',
])

/** A call as it is after its first fact. */
export function begin(id: string, fact: FactOf<'call.started'>): CallView {
  return {
    id,
    direction: fact.direction,
    from: fact.from,
    to: fact.to,
    startedAt: fact.at,
    answeredAt: null,
    endedAt: null,
    ringMs: 0,
    talkMs: 0,
    outcome: { kind: 'no-answer', by: 'nobody' },
    answeredBy: null,
    missed: false,
    trunk: null,
    recordings: [],
    legs: [],
    config: fact.config,
    rehearsedAt: fact.rehearsedAt ?? null,
    recovered: false,
  }
}

/** The call after one more of its facts, as the history of the server reads it. */
export function advance(call: CallView, fact: Fact): CallView {
  switch (fact.kind) {
    case 'call.ended':
      return call.endedAt === null ? settle({ ...call, endedAt: fact.at, outcome: fact.outcome }, fact.at) : call
    case 'call.recovered':
      return settle({ ...call, recovered: true }, fact.at)
    case 'call.identity-checked': {
      const { verdict, attestation, why } = fact
      return settle(
        { ...call, identity: { verdict, ...(attestation !== undefined && { attestation }), ...(why !== undefined && { why }) } },
        fact.at,
      )
    }
    case 'recording.ended':
      return settle({ ...call, recordings: [...new Set([...call.recordings, fact.recording])] }, fact.at)
    case 'leg.quality':
      return settle({ ...call, legs: call.legs.map((leg) => (leg.leg === fact.leg ? { ...leg, quality: fact.quality } : leg)) }, fact.at)
    case 'leg.started':
      return settle({ ...call, legs: [...call.legs, newLeg(fact)] }, fact.at)
    case 'leg.ringing':
    case 'leg.answered':
    case 'leg.held':
    case 'leg.resumed':
    case 'leg.ended':
      return settle({ ...call, legs: call.legs.map((leg) => (leg.leg === fact.leg ? advanceLeg(leg, fact) : leg)) }, fact.at)
    default:
      return settle(call, fact.at)
  }
}

function newLeg({ leg, role, endpoint, at }: FactOf<'leg.started'>): LegView {
  return { leg, role, endpoint, startedAt: at, ringingAt: null, answeredAt: null, endedAt: null, outcome: null }
}

function advanceLeg(leg: LegView, fact: FactOf<'leg.ringing' | 'leg.answered' | 'leg.held' | 'leg.resumed' | 'leg.ended'>): LegView {
  const { heldAt, ...rest } = leg
  switch (fact.kind) {
    case 'leg.ringing':
      return { ...leg, ringingAt: leg.ringingAt ?? fact.at }
    case 'leg.answered':
      return { ...leg, answeredAt: leg.answeredAt ?? fact.at }
    case 'leg.held':
      return { ...leg, heldAt: heldAt ?? fact.at }
    case 'leg.resumed':
      return rest
    case 'leg.ended':
      return leg.endedAt === null ? { ...rest, endedAt: fact.at, outcome: fact.outcome } : leg
  }
}

/** What a call's legs and its end add up to. `lastAt`: when its last fact was. */
function settle(call: CallView, lastAt: number): CallView {
  const callees = call.legs.filter((leg) => leg.role === 'callee')
  const answeredAt = earliest(callees.map((leg) => leg.answeredAt))
  const end = call.endedAt ?? lastAt
  const outcome = call.endedAt === null ? ({ kind: answeredAt === null ? 'no-answer' : 'answered', by: 'nobody' } as const) : call.outcome
  return {
    ...call,
    answeredAt,
    ringMs: ringMs(callees, answeredAt, end),
    talkMs: answeredAt === null ? 0 : end - answeredAt,
    outcome,
    answeredBy: lastToTalk(callees),
    missed: call.direction !== 'outbound' && call.endedAt !== null && isMissed(callees, outcome.kind),
    trunk: trunkOf(call.legs),
  }
}

function earliest(instants: (number | null)[]): number | null {
  const known = instants.filter((at) => at !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function ringMs(callees: readonly LegView[], answeredAt: number | null, end: number): number {
  const from = earliest(callees.map((leg) => leg.ringingAt))
  if (from === null) return 0
  return Math.max(0, (answeredAt ?? Math.max(...callees.map((leg) => leg.endedAt ?? end))) - from)
}

function lastToTalk(callees: readonly LegView[]): CallView['answeredBy'] {
  let last: LegView | null = null
  for (const leg of callees) if (leg.answeredAt !== null && leg.answeredAt >= (last?.answeredAt ?? 0)) last = leg
  return last?.endpoint ?? null
}

function isMissed(callees: readonly LegView[], outcome: OutcomeKind): boolean {
  if (callees.some((leg) => leg.answeredAt !== null || leg.outcome?.kind === 'answered-elsewhere')) return false
  return untaken.has(outcome) || callees.some((leg) => leg.ringingAt !== null && outcome !== 'answered-elsewhere')
}

function trunkOf(legs: readonly LegView[]): string | null {
  const trunks = legs.filter((leg) => leg.endpoint.kind === 'trunk')
  const best = trunks.find((leg) => leg.role === 'caller') ?? trunks.find((leg) => leg.answeredAt !== null) ?? trunks.at(-1)
  return best?.endpoint.id ?? null
}
