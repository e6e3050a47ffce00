import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { Destination, Diverted, RingManner, RingPlan, RingStep } from '#calls/needs.ts'
import { best } from '#calls/outcome.ts'
import { Confirmation } from '#calls/confirmation.ts'
import { dial } from '#calls/outbound-leg.ts'
import { reasons } from '#calls/q850.ts'
import { Redirects } from '#calls/redirects.ts'
import { Branch } from '#calls/ring-branch.ts'

/** Parallel branches that a call of which nobody said so may become (RFC 5393 §5.3.3.1). */
const usualBreadth = 60

export interface RingEvents {
  /** Somebody rings; `early` is the only ringing leg when it sends audio before its answer. */
  onRinging(early: Leg | null): void
  /** Exactly one of these two, once. */
  onAnswered(leg: Leg): void
  onUnanswered(outcome: Outcome): void
}

/**
 * Rings a plan: step after step, the targets of a step together, each on all its devices, trunks with failover. The first answer
 * wins; everybody else is told `answered elsewhere`. A step whose targets have all failed gives way to the next at once.
 */
export class Ring implements Part {
  #call: Call
  #plan: RingPlan
  #events: RingEvents
  #near: Leg | null
  #step = -1
  #branches = new Set<Branch>()
  #outcomes: Outcome[] = []
  #timer: Disposable | null = null
  #over = false
  readonly #redirects = new Redirects()

  /** `near`: the leg that will talk with who answers. */
  constructor(call: Call, plan: RingPlan, near: Leg | null, events: RingEvents) {
    this.#call = call
    this.#plan = plan
    this.#near = near
    this.#events = events
    call.own(this)
    if (!this.#over) this.#next()
  }

  /** Stops all ringing; the owner hears nothing more. */
  close(outcome: Outcome): void {
    if (this.#over) return
    const isToldAsIs = outcome.kind === 'answered' || outcome.kind === 'answered-elsewhere' || outcome.kind === 'cancelled'
    this.#finish(isToldAsIs ? outcome : { kind: 'cancelled', by: 'us' })
    this.#call.tell({ kind: 'ring.ended', outcome })
  }

  #next(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    const step = this.#plan.steps[++this.#step]
    if (step === undefined) {
      const outcome = best(this.#outcomes)
      this.#call.missed = outcome
      this.#finish(outcome)
      this.#call.tell({ kind: 'ring.ended', outcome })
      this.#events.onUnanswered(outcome)
      return
    }
    this.#begin(step)
  }

  #begin(step: RingStep): void {
    const labels = step.targets.map((t) => t.label)
    this.#redirects.ringing(labels)
    this.#call.tell({ kind: 'ring.started', targets: labels, step: this.#step + 1, ms: step.ms })
    const manner = mannerOf(this.#plan, this.#plan.diverted ?? diversionOf(this.#outcomes, this.#call.missed))
    for (const target of step.targets) {
      const located = this.#call.needs.directory.locate(target, this.#call.identity, manner)
      if ('refused' in located) this.#outcomes.push(located.refused)
      else {
        const how = { ms: target.ms ?? step.ms, confirm: target.kind === 'external' ? (target.confirm ?? null) : null }
        for (const alternatives of located.branches) this.#branches.add(new Branch(alternatives, how))
      }
    }
    // Help is called whatever the caller's side left of the breadth.
    const isForHelp = step.targets.some((target) => target.kind === 'external' && target.emergency === true)
    const breadth = isForHelp ? undefined : this.#call.identity.breadth
    for (const branch of this.#spread([...this.#branches], breadth)) this.#try(branch)
    if (this.#over) return
    if (this.#branches.size === 0) this.#next()
    else this.#wait(step, 0)
  }

  /** Tries a branch's next destination; a branch with none left is done. */
  #try(branch: Branch): void {
    for (;;) {
      const destination = branch.take()
      if (destination === undefined) {
        this.#branches.delete(branch)
        this.#outcomes.push(branch.lastOutcome)
        return
      }
      const attempt = dial(this.#call, referred(destination, this.#plan.referredBy), {
        near: this.#near ?? undefined,
        ringMs: 180_000,
        confirms: branch.confirm !== null,
        breadth: branch.breadth,
        role: this.#plan.as,
        onMiss: (miss) => branch.missed(miss.outcome, miss.passedOver, miss.redirectedTo),
      })
      if ('leg' in attempt) {
        this.#follow(branch, attempt.leg, destination)
        return
      }
      branch.missed(attempt.outcome, attempt.passedOver)
      if (attempt.passedOver) this.#passOver(destination, attempt.outcome)
      else {
        // Our own limits, or the person's own word: another way there would fare no better.
        this.#branches.delete(branch)
        this.#outcomes.push(attempt.outcome)
        return
      }
    }
  }

  #follow(branch: Branch, leg: Leg, destination: Destination): void {
    branch.leg = leg
    const { listening } = branch
    const onRinging = leg.onRinging.on(({ earlyMedia }) => {
      if (!this.#over) this.#events.onRinging(earlyMedia && branch.confirm === null && this.#branches.size === 1 ? leg : null)
    })
    const { confirm } = branch
    if (confirm !== null)
      listening.use(
        leg.onPickedUp.on(() => {
          if (!this.#over) new Confirmation(leg, confirm)
        }),
      )
    const onAnswered = leg.onAnswered.on(() => this.#answered(branch, leg))
    const onEnded = leg.onEnded.on((outcome) => {
      if (this.#over || branch.leg !== leg) return
      branch.leg = null
      if (branch.mayGoOn) {
        listening[Symbol.dispose]()
        this.#passOver(destination, outcome)
        this.#try(branch)
      } else {
        this.#branches.delete(branch)
        if (branch.redirectedTo.length === 0) this.#outcomes.push(outcome)
        else this.#redirect(leg, branch)
      }
      if (this.#branches.size === 0 && this.#timer !== null) this.#next()
    })
    listening.use(onRinging)
    listening.use(onAnswered)
    listening.use(onEnded)
  }

  /** A 3xx: others are rung instead, as long as this step lasts. */
  #redirect(leg: Leg, from: Branch): void {
    const followed = this.#redirects.follow(leg, from.redirectedTo)
    if ('kind' in followed) {
      this.#outcomes.push(followed)
      return
    }
    const manner = { ...this.#plan, ...followed.plan, diverted: 'unconditional' as const }
    const found: Branch[] = []
    for (const target of followed.plan.steps.flatMap((step) => step.targets)) {
      const located = this.#call.needs.directory.locate(target, followed.on, manner)
      if ('refused' in located) this.#outcomes.push(located.refused)
      else for (const alternatives of located.branches) found.push(new Branch(alternatives, { ms: from.ms, confirm: from.confirm }))
    }
    for (const branch of found) this.#branches.add(branch)
    const breadth = this.#call.identity.breadth === undefined ? undefined : from.breadth
    for (const branch of this.#spread(found, breadth)) this.#try(branch)
  }

  /** Shares the breadth of the call out among branches; for whom nothing is left of one that was given is not rung (RFC 5393 §5.3.3). */
  #spread(branches: readonly Branch[], given: number | undefined): readonly Branch[] {
    const rung = given === undefined ? branches : branches.slice(0, given)
    for (const branch of branches.slice(rung.length)) {
      this.#branches.delete(branch)
      this.#outcomes.push({ kind: 'failed', by: 'caller', sip: 440, detail: 'its Max-Breadth leaves no branch for it' })
    }
    for (const branch of rung) branch.breadth = Math.max(1, Math.floor((given ?? usualBreadth) / rung.length))
    return rung
  }

  #passOver(destination: Destination, outcome: Outcome): void {
    if (destination.endpoint.kind !== 'trunk') return
    this.#call.tell({ kind: 'trunk.passed-over', trunk: destination.endpoint.id, why: outcome.detail ?? outcome.kind })
  }

  /** `by` has picked up what rings at one of our legs (RFC 3891 §3): the same as an answer there. */
  replace(leg: Leg, by: Leg): boolean {
    const branch = [...this.#branches].find((each) => each.leg === leg)
    if (branch === undefined || this.#over) return false
    this.#finish({ kind: 'answered-elsewhere', by: 'nobody' })
    this.#call.tell({ kind: 'ring.ended', outcome: { kind: 'answered', by: 'callee' }, leg: by.id })
    this.#events.onAnswered(by)
    return true
  }

  #answered(branch: Branch, leg: Leg): void {
    if (this.#over || branch.leg !== leg) return
    branch.leg = null
    // Who talks does not keep in memory how it was found.
    branch.listening[Symbol.dispose]()
    this.#finish({ kind: 'answered-elsewhere', by: 'nobody' })
    this.#call.tell({ kind: 'ring.ended', outcome: { kind: 'answered', by: 'callee' }, leg: leg.id })
    this.#events.onAnswered(leg)
  }

  /** The time of some branches, or of the whole step, is up: they missed the call. */
  #expire(step: RingStep, elapsedMs: number): void {
    const outcome: Outcome = { kind: 'no-answer', by: 'callee', detail: 'rang without an answer' }
    for (const branch of [...this.#branches]) {
      // Who has picked up is given the time to say so.
      if (branch.isAsked || (branch.ms > elapsedMs && elapsedMs < step.ms)) continue
      this.#branches.delete(branch)
      const leg = branch.leg
      branch.leg = null
      this.#outcomes.push(outcome)
      leg?.hangUp(outcome)
    }
    if (this.#branches.size === 0) this.#next()
    else this.#wait(step, elapsedMs)
  }

  #wait(step: RingStep, elapsedMs: number): void {
    const ringing = [...this.#branches].filter((branch) => !branch.isAsked && branch.ms > elapsedMs)
    if (ringing.length === 0) return
    const next = Math.min(step.ms, ...ringing.map((branch) => branch.ms))
    this.#timer = this.#call.needs.clock.after(next - elapsedMs, () => this.#expire(step, next))
  }

  #finish(outcome: Outcome): void {
    this.#over = true
    this.#timer?.[Symbol.dispose]()
    this.#call.disown(this)
    for (const branch of this.#branches) {
      const leg = branch.leg
      branch.leg = null
      leg?.hangUp(outcome, outcome.kind === 'answered-elsewhere' ? reasons.elsewhere : undefined)
    }
    this.#branches.clear()
  }
}

/** How whoever is rung is told: what the plan says, and why the call goes on. */
function mannerOf({ namePrefix, ringTone, referredBy }: RingPlan, diverted: Diverted['reason']): RingManner {
  const manner: RingManner = { diverted }
  if (namePrefix !== undefined) manner.namePrefix = namePrefix
  if (ringTone !== undefined) manner.ringTone = ringTone
  if (referredBy !== undefined) manner.referredBy = referredBy
  return manner
}

/** Why a call goes on that rang somewhere before: in this ring, or in the one before it. */
function diversionOf(outcomes: readonly Outcome[], missed: Outcome | null): Diverted['reason'] {
  const before = outcomes.length > 0 ? best(outcomes) : missed
  if (before === null) return 'unconditional'
  if (before.kind === 'busy') return 'user-busy'
  return before.kind === 'no-answer' ? 'no-answer' : 'unavailable'
}

/** Phones are told who transferred; a carrier is not. */
function referred(to: Destination, by: string | undefined): Destination {
  return by === undefined || to.endpoint.kind !== 'device' ? to : { ...to, headers: [...(to.headers ?? []), ['Referred-By', by]] }
}
