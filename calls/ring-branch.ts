import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Leg } from '#calls/leg.ts'
import type { Destination } from '#calls/needs.ts'

/** One parallel branch of a ring: destinations tried in order until one is more than passed over. */
export class Branch {
  leg: Leg | null = null
  /** Contacts of a 3xx. */
  redirectedTo: readonly string[] = []
  mayGoOn = true
  /** Parallel branches that it may become further on. */
  breadth = 1
  lastOutcome: Outcome = { kind: 'unreachable', by: 'nobody', detail: 'no phone is registered' }
  /** How long it may ring, from the beginning of its step. */
  readonly ms: number
  /** The key that whoever picks up must press. */
  readonly confirm: string | null
  /** To the leg that rings. */
  readonly listening = new Disposals()
  readonly #alternatives: readonly Destination[]
  #taken = 0

  constructor(alternatives: readonly Destination[], how: { ms: number; confirm: string | null }) {
    this.#alternatives = alternatives
    this.ms = how.ms
    this.confirm = how.confirm
  }

  /** Picked up, and not taken with the key yet. */
  get isAsked(): boolean {
    return this.leg?.state === 'talking'
  }

  take(): Destination | undefined {
    this.mayGoOn = false
    return this.#alternatives[this.#taken++]
  }

  missed(outcome: Outcome, passedOver: boolean, redirectedTo: readonly string[] = []): void {
    this.redirectedTo = redirectedTo
    this.lastOutcome = outcome
    this.mayGoOn = passedOver && this.#taken < this.#alternatives.length
  }
}
