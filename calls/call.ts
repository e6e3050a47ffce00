import type { Fact, NewFact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayItem } from '#media/engine.ts'
import type { Leg } from '#calls/leg.ts'
import type { KeptCall, KeptLeg, KeptRecording } from '#calls/kept.ts'
import type { CallIdentity, CallNeeds } from '#calls/needs.ts'
import { Emitter } from '#base/emitter.ts'
import { flatText } from '#base/flat-text.ts'

/** A fact of this call before the call puts its name on it. */
export type CallFact = NewFact extends infer F ? (F extends NewFact ? Omit<F, 'tenant' | 'call'> : never) : never

/** Something that lives within a call and is closed with it: a ring, a bridge, a recording. */
export interface Part {
  /** Idempotent; leaves the call's legs to the call. */
  close(outcome: Outcome): void
  /** It is a recording. */
  readonly records?: boolean
  /** Lets `by`, who has just been answered, take the place of one of its legs; false when it has no such leg. Lets the other one go. */
  replace?(leg: Leg, by: Leg): boolean
  /** Says something to the phone that talks with `leg`, and to nobody else; false when there is no such phone in it. */
  sayBeside?(leg: Leg, said: readonly PlayItem[]): boolean
}

/**
 * What people mean by a call: from the first ring to the last hangup, one id across transfers. A call only coordinates: it owns
 * legs and parts, tells facts, and ends once. What happens in it is decided by its owner and done by the features of this room.
 */
export class Call {
  readonly identity: CallIdentity
  readonly needs: CallNeeds
  readonly startedAt: number
  readonly ended = new Emitter<Outcome>()
  /** How the last ringing ended that nobody answered: why the call goes on elsewhere. */
  missed: Outcome | null = null
  #legs: Leg[] = []
  /** Two or three at most. */
  #parts: readonly Part[] = nothing
  /** Null: none so far, as in most calls. */
  #recordings: Map<string, KeptRecording> | null = null
  #outcome: Outcome | null = null
  #legCount = 0
  #dirty = false
  #wasTalking = false
  #longest: Disposable | null = null
  /** The name under which the journal keeps it. */
  readonly #keptAs: string
  /** Data of the call's owner that must survive the server (the position in a flow). */
  #story: unknown = null

  constructor(needs: CallNeeds, identity: CallIdentity, kept?: KeptCall) {
    this.needs = needs
    this.identity = identity
    this.#keptAs = `call/${identity.call}`
    this.startedAt = kept?.startedAt ?? needs.clock.wall()
    this.#legCount = kept?.legCount ?? 0
    this.#story = kept?.story ?? null
  }

  get id(): string {
    return this.identity.call
  }
  get legs(): readonly Leg[] {
    return this.#legs
  }
  get outcome(): Outcome | null {
    return this.#outcome
  }

  tell(fact: CallFact): void {
    this.needs.journal.append(named(fact, this.identity))
  }

  /** An id for a new leg, unique within the call and readable in a ladder. */
  nextLegId(): string {
    return flatText(`${this.id}.${++this.#legCount}`)
  }

  add(leg: Leg): void {
    this.#legs.push(leg)
  }
  remove(leg: Leg): void {
    this.#legs = this.#legs.filter((each) => each !== leg)
    this.changed()
  }
  own(part: Part): void {
    if (this.#outcome !== null) part.close(this.#outcome)
    else this.#parts = this.#parts.length === 0 ? [part] : this.#parts.concat(part)
  }
  disown(part: Part): void {
    this.#parts = this.#parts.length === 1 && this.#parts[0] === part ? nothing : this.#parts.filter((each) => each !== part)
  }
  get parts(): Iterable<Part> {
    return this.#parts
  }

  /** Ends the call after so long, whatever it is doing. */
  limit(ms: number, outcome: Outcome): void {
    this.#longest?.[Symbol.dispose]()
    this.#longest = this.needs.clock.after(ms, () => this.end(outcome))
  }

  /** Closes everything that still runs, parts before legs. The first outcome counts. */
  end(outcome: Outcome): void {
    if (this.#outcome !== null) return
    this.#outcome = outcome
    this.#longest?.[Symbol.dispose]()
    for (const part of this.#parts) part.close(outcome)
    this.#parts = nothing
    for (const leg of [...this.#legs]) leg.hangUp(outcome)
    this.tell({ kind: 'call.ended', outcome })
    this.needs.journal.keep(this.#keptAs, null)
    this.ended.emit(outcome)
  }

  /** What the owner wants to find again after a restart of the server. */
  set story(story: unknown) {
    this.#story = story
    this.changed()
  }
  get story(): unknown {
    return this.#story
  }

  /** Something that must survive the server changed. Kept once per turn of the event loop, however often this is called. */
  changed(): void {
    if (this.#dirty || this.#outcome !== null) return
    this.#dirty = true
    queueMicrotask(() => {
      this.#dirty = false
      if (this.#outcome !== null || !this.#isWorthKeeping()) return
      this.needs.journal.keep(this.#keptAs, this.keep())
      // Asked for, the group goes to disk at once rather than when it is convenient: until then a dying server would lose people who talk.
      this.needs.journal.whenKept(() => undefined)
    })
  }

  /** Nobody can take over a call before the first answer. */
  #isWorthKeeping(): boolean {
    return this.#wasTalking || (this.#wasTalking = this.#legs.some((leg) => leg.answeredAt !== null))
  }

  /** Recordings in progress, by id. */
  get recordings(): ReadonlyMap<string, KeptRecording> {
    return this.#recordings ?? noRecordings
  }
  stopRecordings(): void {
    for (const part of this.#parts) if (part.records === true) part.close({ kind: 'completed', by: 'us' })
  }
  recording(kept: KeptRecording, running: boolean): void {
    if (running) (this.#recordings ??= new Map()).set(kept.id, kept)
    else this.#recordings?.delete(kept.id)
    this.changed()
  }

  keep(): KeptCall {
    const legs: KeptLeg[] = []
    for (const leg of this.#legs) {
      const kept = leg.keep()
      if (kept !== null) legs.push(kept)
    }
    return {
      identity: this.identity,
      startedAt: this.startedAt,
      legCount: this.#legCount,
      legs,
      recordings: this.#recordings === null ? [] : [...this.#recordings.values()],
      story: this.#story,
    }
  }
}

const nothing: readonly never[] = []
const noRecordings: ReadonlyMap<string, KeptRecording> = new Map()

/**
 * The fact with the name of its call, and with room for what the journal adds: to enlarge it there would cost an object more for each fact.
 * What nearly every call tells is copied in a place for each kind: V8 copies one shape at a time quickly, and slowly where it sees many.
 */
function named(fact: CallFact, { tenant, call }: CallIdentity): Fact {
  switch (fact.kind) {
    case 'leg.started':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'leg.ringing':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'leg.answered':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'leg.ended':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'leg.quality':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'ring.started':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'ring.ended':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'bridge.joined':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'bridge.parted':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'call.started':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    case 'call.ended':
      return { ...fact, tenant, call, at: 0, seq: 0 }
    default:
      return { ...fact, tenant, call, at: 0, seq: 0 }
  }
}
