import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import { recall } from '#calls/recall.ts'
import { Ring } from '#calls/ring.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'

/** Who takes part in a consultation, and what they hear meanwhile. */
export interface ConsultationParts {
  /** The other party, who waits. */
  readonly party: Leg
  readonly transferor: Leg
  /** As dialled. */
  readonly to: string
  readonly music: readonly PlayItem[]
  readonly ringback: readonly PlayItem[]
}

export interface ConsultationEvents {
  /** These two go on with each other: the transfer is complete, or was given up, or somebody has left. */
  onConnected(one: Leg, other: Leg): void
  /** The transferor has left, nobody took it, and its phone cannot be reached any more. */
  onAbandoned(party: Leg, outcome: Outcome): void
}

/** `gone`: one of the three has left, and the other two talk on. */
type End = 'completed' | 'cancelled' | 'gone'

/**
 * Asking first (RFC 5589 §7), on the one line that the transferor has: the party hears music while the transferor calls somebody and talks to
 * them; then the transferor connects the two, or comes back. Hanging up connects them, whether the target has answered or still rings.
 */
export class Consultation implements Part {
  readonly transferor: Leg
  readonly #call: Call
  readonly #parts: ConsultationParts
  readonly #events: ConsultationEvents
  readonly #listening = new Disposals()
  readonly #waiting: PlayId | null
  #ringing: PlayId | null = null
  #partyRings: PlayId | null = null
  #ring: Part | null = null
  #target: Leg | null = null
  /** The transferor has left while the target rings. */
  #left: Outcome | null = null
  #over = false

  constructor(call: Call, parts: ConsultationParts, events: ConsultationEvents) {
    const { party, transferor } = parts
    this.transferor = transferor
    this.#call = call
    this.#parts = parts
    this.#events = events
    call.own(this)
    call.tell({ kind: 'transfer.requested', leg: transferor.id, to: parts.to, attended: true })
    this.#waiting = parts.music.length === 0 ? null : party.media.endpoint.play(parts.music, { loop: true })
    this.#listening.use(party.onEnded.on((outcome) => this.#partyLeft(outcome)))
    this.#listening.use(transferor.onEnded.on((outcome) => this.#transferorLeft(outcome)))
    const found = call.needs.directory.resolve(parts.to, { ...call.identity, asker: transferor.endpoint })
    if ('refused' in found) this.#failed(found.refused)
    else this.#start(found.plan)
  }

  /** Connects the party with the target: now, or when the target answers. */
  complete(): void {
    if (this.#over || this.#left !== null) return
    const outcome = { kind: 'transferred', by: this.transferor.role, detail: `transferred to ${this.#parts.to}` } as const
    // Its end does the rest, as if the person had hung up.
    this.#left = outcome
    this.transferor.hangUp(outcome)
    this.#goOnWithout()
  }

  /** The transferor comes back to the party; the target is let go. */
  cancel(): void {
    if (this.#over || this.#left !== null) return
    this.#failed({ kind: 'cancelled', by: this.transferor.role, detail: 'the transferor came back' })
  }

  /** All three are to hear each other: gives them, the transferor second, and is over; null while the target has not answered. */
  release(): readonly [Leg, Leg, Leg] | null {
    const target = this.#target
    if (this.#over || this.#left !== null || target === null) return null
    const { transferor } = this
    transferor.media.endpoint.part()
    this.#call.tell({ kind: 'bridge.parted', legs: [transferor.id, target.id] })
    this.#finish()
    return [this.#parts.party, transferor, target]
  }

  close(outcome: Outcome): void {
    if (this.#over) return
    this.#finish()
    this.#ring?.close(outcome)
  }

  #start(plan: ConstructorParameters<typeof Ring>[1]): void {
    const { transferor, ringback } = this.#parts
    this.#ring = new Ring(this.#call, plan, transferor, {
      onRinging: (early) => this.#rings(early, ringback),
      onAnswered: (target) => this.#answered(target),
      onUnanswered: (outcome) => this.#failed(outcome),
    })
  }

  #rings(early: Leg | null, ringback: readonly PlayItem[]): void {
    const { endpoint } = this.transferor.media
    if (this.#left !== null) return
    if (early !== null) {
      this.#quiet()
      endpoint.join(early.media.endpoint)
    } else this.#ringing ??= endpoint.play(ringback, { loop: true })
  }

  #answered(target: Leg): void {
    this.#quiet()
    this.#target = target
    this.#listening.use(target.onEnded.on((outcome) => this.#targetLeft(outcome)))
    if (this.#left !== null) {
      this.#goOnWithout()
      return
    }
    this.transferor.media.endpoint.join(target.media.endpoint)
    this.#call.tell({ kind: 'bridge.joined', legs: [this.transferor.id, target.id] })
  }

  /** The transferor has left: the two others talk, or the party hears that the target rings. */
  #goOnWithout(): void {
    const target = this.#target
    if (target !== null) {
      this.#end('completed', this.#parts.party, target)
      return
    }
    this.#quiet()
    const { endpoint } = this.#parts.party.media
    if (this.#waiting !== null) endpoint.stop(this.#waiting)
    this.#partyRings = endpoint.play(this.#parts.ringback, { loop: true })
  }

  #failed(outcome: Outcome): void {
    const { party, transferor, to } = this.#parts
    const target = this.#target
    this.#call.tell({ kind: 'transfer.failed', leg: transferor.id, to, outcome })
    if (this.#left === null) {
      this.#listening[Symbol.dispose]()
      this.#ring?.close(outcome)
      target?.hangUp(outcome)
      this.#end('cancelled', party, transferor)
      return
    }
    if (this.#partyRings !== null) party.media.endpoint.stop(this.#partyRings)
    this.#ring = recall(party, transferor.endpoint, (back) => {
      this.#finish()
      if (back === null) this.#events.onAbandoned(party, outcome)
      else this.#events.onConnected(party, back)
    })
  }

  #transferorLeft(outcome: Outcome): void {
    if (this.#left !== null || this.#over) return
    this.#left = outcome
    this.#goOnWithout()
  }

  #targetLeft(outcome: Outcome): void {
    if (this.#over) return
    this.#call.tell({ kind: 'transfer.failed', leg: this.transferor.id, to: this.#parts.to, outcome })
    this.#end('gone', this.#parts.party, this.transferor)
  }

  #partyLeft(outcome: Outcome): void {
    const target = this.#target
    if (target !== null && this.#left === null) {
      this.#call.tell({ kind: 'transfer.failed', leg: this.transferor.id, to: this.#parts.to, outcome })
      this.#end('gone', this.transferor, target)
      return
    }
    this.close(outcome)
    this.transferor.hangUp(outcome)
    this.#call.end(outcome)
  }

  #end(why: End, one: Leg, other: Leg): void {
    const { transferor, to } = this.#parts
    if (this.#target !== null) {
      transferor.media.endpoint.part()
      this.#call.tell({ kind: 'bridge.parted', legs: [transferor.id, this.#target.id] })
    }
    this.#finish()
    if (why === 'completed') this.#call.tell({ kind: 'transfer.completed', leg: transferor.id, to, attended: true })
    this.#events.onConnected(one, other)
  }

  /** Nobody listens and nothing plays any more. */
  #finish(): void {
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.#quiet()
    const { endpoint } = this.#parts.party.media
    if (this.#waiting !== null) endpoint.stop(this.#waiting)
    if (this.#partyRings !== null) endpoint.stop(this.#partyRings)
    this.#call.disown(this)
  }

  #quiet(): void {
    if (this.#ringing !== null) this.transferor.media.endpoint.stop(this.#ringing)
    this.#ringing = null
  }
}
