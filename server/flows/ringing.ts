import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { RingPlan } from '#calls/needs.ts'
import { Ring } from '#calls/ring.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'

/** The caller's leg as the dial plan drives it: already answered, or still to be. */
export interface CallerLeg {
  leg: Leg
  /** False: it hears us already, so that ringing must be heard. */
  ring(): boolean
  early(): boolean
  answer(then?: () => void): void
}

/** A leg that has been answered already: after a restart, or because we called it. */
export function answeredLeg(leg: Leg): CallerLeg {
  return { leg, ring: () => false, early: () => true, answer: (then) => then?.() }
}

/** What the caller hears while others ring. */
export interface WhileRinging {
  ringback: readonly PlayItem[]
  /** Looped instead of the ringing tone, for a caller who has been answered. */
  music: readonly PlayItem[]
}

/**
 * A ring and what its caller hears of it: 180 and the phone's own ringing tone before the answer, ours after it, music where it is wanted, or
 * the far end's early audio (RFC 3960 §3) where exactly one rings.
 */
export class Ringing {
  #caller: CallerLeg
  #sound: WhileRinging
  #ring: Ring | null = null
  #playing: PlayId | null = null
  /** Whose audio the caller hears before an answer. */
  #early: Leg | null = null
  #over = false

  constructor(
    call: Call,
    caller: CallerLeg,
    plan: RingPlan,
    options: WhileRinging & { onAnswered: (leg: Leg) => void; onUnanswered: (outcome: Outcome) => void },
  ) {
    this.#caller = caller
    this.#sound = options
    if (caller.leg.state === 'talking' && options.music.length > 0) this.#play(options.music)
    this.#ring = new Ring(call, plan, caller.leg, {
      onRinging: (early) => this.#rings(early),
      onAnswered: (leg) => {
        this.#quiet()
        options.onAnswered(leg)
      },
      onUnanswered: (outcome) => {
        this.#quiet()
        this.#part()
        options.onUnanswered(outcome)
      },
    })
  }

  /** Music that became available after the ringing had begun. */
  set music(items: readonly PlayItem[]) {
    if (!this.#over && this.#early === null && this.#caller.leg.state === 'talking' && items.length > 0) this.#play(items)
  }

  stop(outcome: Outcome): void {
    this.#quiet()
    this.#ring?.close(outcome)
  }

  #rings(early: Leg | null): void {
    const { leg } = this.#caller
    if (early !== null && this.#sound.music.length === 0 && (leg.state === 'talking' || this.#caller.early())) {
      this.#silence()
      this.#early = early
      leg.media.endpoint.join(early.media.endpoint)
      return
    }
    // Whoever was heard has stopped, or others ring too, so that nobody is.
    this.#part()
    if (leg.state !== 'talking' && this.#caller.ring()) return
    if (this.#playing === null) this.#play(this.#sound.ringback)
  }

  #part(): void {
    if (this.#early !== null) this.#caller.leg.media.endpoint.part()
    this.#early = null
  }

  #play(items: readonly PlayItem[]): void {
    this.#playing = this.#caller.leg.media.endpoint.play(items, { loop: true })
  }

  #silence(): void {
    if (this.#playing !== null) this.#caller.leg.media.endpoint.stop(this.#playing)
    this.#playing = null
  }

  #quiet(): void {
    this.#over = true
    this.#silence()
  }
}
