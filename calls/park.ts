import { Disposals } from '#base/disposal.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import { Ring } from '#calls/ring.ts'

/** How a party waits in a slot. */
export interface ParkTerms {
  readonly slot: string
  /** Who parked it; null: nobody who could be rung. */
  readonly by: EndpointRef | null
  /** Looped. */
  readonly music: readonly PlayItem[]
  /** How long it waits before who parked it is rung. */
  readonly waitMs: number
  /** Somewhere takes those that nobody fetches; otherwise they wait on. */
  readonly goesOn: boolean
  /** Wall time from which on it has waited since an earlier life of the server, which told so; absent: from now on. */
  readonly since?: number
}

export interface ParkEvents {
  /** These two are to talk. */
  onFetched(party: Leg, by: Leg): void
  /** Nobody came for it: only where it `goesOn`. */
  onForgotten(party: Leg): void
  /** The slot is free; comes before the others, once. */
  onFree(): void
}

/** How long the phone of who parked a call rings when nobody fetched it. */
const recallMs = 20_000

/** A party on a numbered shelf: hears music until somebody fetches it. */
export class Park implements Part {
  readonly party: Leg
  readonly terms: ParkTerms
  /** Wall time, ms since the Unix epoch. */
  readonly since: number
  readonly #call: Call
  readonly #events: ParkEvents
  readonly #music: PlayId | null
  readonly #listening = new Disposals()
  #timer: Disposable | null = null
  #ring: Ring | null = null
  #over = false

  constructor(call: Call, party: Leg, terms: ParkTerms, events: ParkEvents) {
    this.#call = call
    this.party = party
    this.terms = terms
    this.#events = events
    this.since = terms.since ?? call.needs.clock.wall()
    this.#music = terms.music.length === 0 ? null : party.media.endpoint.play(terms.music, { loop: true })
    this.#listening.use(party.onEnded.on((outcome) => this.#left(outcome)))
    call.own(this)
    if (terms.since === undefined)
      call.tell({ kind: 'call.parked', leg: party.id, slot: terms.slot, ...(terms.by !== null && { by: terms.by.number }) })
    this.#wait(Math.max(0, this.since + terms.waitMs - call.needs.clock.wall()))
  }

  /** Somebody who has just been answered fetches the party; false when it has gone. */
  fetch(by: Leg): boolean {
    return this.#give(by, 'picked-up')
  }

  close(outcome: Outcome): void {
    if (this.#over) return
    this.#ring?.close(outcome)
    this.#finish('left')
  }

  #wait(ms: number): void {
    this.#timer = this.#call.needs.clock.after(ms, () => this.#remind())
  }

  /** Rings who parked it. The party goes on hearing music, and others may still fetch it. */
  #remind(): void {
    this.#timer = null
    const { by, slot } = this.terms
    if (by?.kind !== 'device') {
      this.#forgotten()
      return
    }
    const targets = [{ kind: 'device' as const, id: by.id, label: by.number }]
    const part = this.party.role === 'callee' ? ({ as: 'caller' } as const) : {}
    this.#ring = new Ring(this.#call, { steps: [{ targets, ms: recallMs }], namePrefix: slot, ...part }, this.party, {
      onRinging: () => undefined,
      onAnswered: (back) => {
        this.#ring = null
        this.#give(back, 'returned')
      },
      onUnanswered: () => {
        this.#ring = null
        this.#forgotten()
      },
    })
  }

  #forgotten(): void {
    if (this.#over) return
    if (!this.terms.goesOn) {
      this.#wait(this.terms.waitMs)
      return
    }
    this.#finish('timeout')
    this.#events.onForgotten(this.party)
  }

  #give(by: Leg, why: 'picked-up' | 'returned'): boolean {
    if (this.#over) return false
    this.#ring?.close({ kind: 'answered-elsewhere', by: 'nobody' })
    this.#finish(why, by)
    this.#events.onFetched(this.party, by)
    return true
  }

  #left(outcome: Outcome): void {
    this.close(outcome)
    this.#call.end(outcome)
  }

  #finish(why: 'picked-up' | 'returned' | 'timeout' | 'left', by?: Leg): void {
    this.#over = true
    this.#timer?.[Symbol.dispose]()
    this.#listening[Symbol.dispose]()
    this.#call.disown(this)
    if (this.#music !== null) this.party.media.endpoint.stop(this.#music)
    const { slot } = this.terms
    this.#call.tell({ kind: 'call.unparked', leg: this.party.id, slot, why, ...(by !== undefined && { by: by.id }) })
    this.#events.onFree()
  }
}
