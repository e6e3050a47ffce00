import { unreachable } from '#base/unreachable.ts'
import type { Fact } from '#contract/facts.ts'
import type { Outcome, OutcomeKind } from '#contract/outcome.ts'
import type { CallRow, LegRow } from '#server/history/call-row.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Of<K extends Fact['kind']> = Extract<Fact, { kind: K }>
type LegFact = Of<'leg.ringing' | 'leg.answered' | 'leg.held' | 'leg.resumed' | 'leg.quality' | 'leg.ended'>

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

/** The kinds of facts that a draft reads. */
const read: ReadonlySet<Fact['kind']> = new Set<Fact['kind']>([
  'call.started',
  'call.ended',
  'call.recovered',
  'call.identity-checked',
  'conference.joined',
  'monitor.started',
  'recording.ended',
  'leg.started',
  'leg.ringing',
  'leg.answered',
  'leg.held',
  'leg.resumed',
  'leg.ended',
])

/** Whether a call's row, once the call is over, would be another without this fact; what is not is detail of its timeline. */
export function isOfRow(fact: Fact): boolean {
  return read.has(fact.kind) || (fact.kind === 'leg.quality' && fact.final)
}

/** The row that a call's facts add up to; null without its `call.started`. Facts in order of `seq`; the same facts always give the same row. */
export function project(facts: readonly Fact[]): CallRow | null {
  const draft = new CallDraft()
  for (const fact of facts) draft.apply(fact)
  return draft.toRow()
}

/** A row in the making: takes facts one by one, as they come. */
export class CallDraft {
  #started: Of<'call.started'> | null = null
  #ended: Of<'call.ended'> | null = null
  #legs = new Map<string, Writable<LegRow>>()
  #recordings = new Set<string>()
  #recovered = false
  #identity: CallRow['identity']
  /** When the caller came to others without any leg of the call's own: into a conference, or to somebody to listen to. */
  #metAt: number | null = null
  #lastAt = 0
  #lastSeq = 0

  /** Number of the last fact taken; the next one must follow it. */
  get lastSeq(): number {
    return this.#lastSeq
  }
  get hasEnded(): boolean {
    return this.#ended !== null
  }

  /** Facts that were taken already are ignored. */
  apply(fact: Fact): void {
    if (fact.seq <= this.#lastSeq) return
    this.#lastSeq = fact.seq
    this.#lastAt = Math.max(this.#lastAt, fact.at)
    switch (fact.kind) {
      case 'call.started':
        this.#started = fact
        break
      case 'call.ended':
        this.#ended ??= fact
        break
      case 'call.recovered':
        this.#recovered = true
        break
      case 'call.identity-checked':
        this.#identity = identityOf(fact)
        break
      case 'conference.joined':
        this.#metAt ??= fact.at
        break
      case 'monitor.started':
        if (fact.monitor === fact.call) this.#metAt ??= fact.at
        break
      case 'recording.ended':
        this.#recordings.add(fact.recording)
        break
      default:
        this.#applyLeg(fact)
    }
  }

  #applyLeg(fact: Fact): void {
    switch (fact.kind) {
      case 'leg.started': {
        const { leg, role, endpoint, at } = fact
        this.#legs.set(leg, { leg, role, endpoint, startedAt: at, ringingAt: null, answeredAt: null, endedAt: null, outcome: null })
        return
      }
      case 'leg.ringing':
      case 'leg.answered':
      case 'leg.held':
      case 'leg.resumed':
      case 'leg.quality':
      case 'leg.ended': {
        const leg = this.#legs.get(fact.leg)
        if (leg !== undefined) applyTo(leg, fact)
        return
      }
      default:
      // Detail of the timeline.
    }
  }

  toRow(): CallRow | null {
    const started = this.#started
    if (started === null || started.call === undefined) return null
    const legs = [...this.#legs.values()]
    const callees = legs.filter((leg) => leg.role === 'callee')
    const answeredAt = earliest([...callees.map((leg) => leg.answeredAt), this.#metAt])
    const endedAt = this.#ended?.at ?? null
    const outcome = this.#ended?.outcome ?? soFar(answeredAt)
    const row: Writable<CallRow> = {
      tenant: started.tenant,
      id: started.call,
      direction: started.direction,
      from: started.from,
      to: started.to,
      startedAt: started.at,
      answeredAt,
      endedAt,
      ringMs: ringMs(callees, answeredAt, endedAt ?? this.#lastAt),
      talkMs: answeredAt === null ? 0 : (endedAt ?? this.#lastAt) - answeredAt,
      outcome,
      answeredBy: lastToTalk(callees),
      missed: started.direction !== 'outbound' && this.#ended !== null && isMissed(callees, outcome),
      trunk: trunkOf(legs),
      recordings: [...this.#recordings],
      legs: legs.map((leg) => ({ ...leg })),
      config: started.config,
      rehearsedAt: started.rehearsedAt ?? null,
      recovered: this.#recovered,
    }
    if (this.#identity !== undefined) row.identity = this.#identity
    return row
  }
}

function applyTo(leg: Writable<LegRow>, fact: LegFact): void {
  switch (fact.kind) {
    case 'leg.ringing':
      leg.ringingAt ??= fact.at
      return
    case 'leg.answered':
      leg.answeredAt ??= fact.at
      return
    case 'leg.held':
      leg.heldAt ??= fact.at
      return
    case 'leg.resumed':
      delete leg.heldAt
      return
    case 'leg.quality':
      leg.quality = fact.quality
      return
    case 'leg.ended':
      if (leg.endedAt !== null) return
      // To delete what is not there costs as much as what is, and few were ever held.
      if (leg.heldAt !== undefined) delete leg.heldAt
      leg.endedAt = fact.at
      leg.outcome = fact.outcome
      return
    default:
      unreachable(fact)
  }
}

function identityOf({ verdict, attestation, why }: Of<'call.identity-checked'>): NonNullable<CallRow['identity']> {
  return { verdict, ...(attestation !== undefined && { attestation }), ...(why !== undefined && { why }) }
}

function soFar(answeredAt: number | null): Outcome {
  return { kind: answeredAt === null ? 'no-answer' : 'answered', by: 'nobody' }
}

function earliest(instants: (number | null)[]): number | null {
  const known = instants.filter((at) => at !== null)
  return known.length === 0 ? null : Math.min(...known)
}

function ringMs(callees: readonly LegRow[], answeredAt: number | null, end: number): number {
  const from = earliest(callees.map((leg) => leg.ringingAt))
  if (from === null) return 0
  const lastEnd = Math.max(...callees.map((leg) => leg.endedAt ?? end))
  return Math.max(0, (answeredAt ?? lastEnd) - from)
}

function lastToTalk(callees: readonly LegRow[]) {
  let last: LegRow | null = null
  for (const leg of callees) {
    if (leg.answeredAt !== null && leg.answeredAt >= (last?.answeredAt ?? 0)) last = leg
  }
  return last?.endpoint ?? null
}

function isMissed(callees: readonly LegRow[], outcome: Outcome): boolean {
  if (callees.some((leg) => leg.answeredAt !== null || leg.outcome?.kind === 'answered-elsewhere')) return false
  return untaken.has(outcome.kind) || callees.some((leg) => leg.ringingAt !== null && outcome.kind !== 'answered-elsewhere')
}

/** The one the call came in on, or the one that took it, or the last one tried. */
function trunkOf(legs: readonly LegRow[]): string | null {
  const trunks = legs.filter((leg) => leg.endpoint.kind === 'trunk')
  const best = trunks.find((leg) => leg.role === 'caller') ?? trunks.find((leg) => leg.answeredAt !== null) ?? trunks.at(-1)
  return best?.endpoint.id ?? null
}
