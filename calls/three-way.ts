import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'

export type ThreeLegs = readonly [Leg, Leg, Leg]

export interface ThreeWayEvents {
  /** One has left, and the other two talk on. */
  onTwo(one: Leg, other: Leg): void
  /** It is over for all: who had brought the others together has left, and they were not to go on. */
  onOver(outcome: Outcome): void
  /** `by` has taken the place of one of them, who has been let go. */
  onReplaced(legs: ThreeLegs): void
}

/**
 * Three parties of one call who all hear each other, the second being who brought the other two together. Music of whoever holds is heard by
 * nobody: a held party is silent here, and the others talk on.
 */
export class ThreeWay implements Part {
  readonly legs: ThreeLegs
  readonly #call: Call
  readonly #events: ThreeWayEvents
  readonly #listening = new Disposals()
  #over = false

  /** `endsWithHost`: the call ends when the host leaves; otherwise the two others go on. */
  constructor(call: Call, legs: ThreeLegs, terms: { endsWithHost: boolean }, events: ThreeWayEvents) {
    this.#call = call
    this.legs = legs
    this.#events = events
    call.own(this)
    const room = `three-way/${legs.map(({ media }) => media.endpoint.id).join('/')}`
    for (const { media } of legs) media.endpoint.mix(room)
    call.tell({ kind: 'three-way.joined', legs: legs.map(({ id }) => id) })
    const [, host] = legs
    for (const leg of legs) this.#listening.use(leg.onEnded.on((outcome) => this.#left(leg, outcome, leg === host && terms.endsWithHost)))
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.#call.disown(this)
    for (const { media } of this.legs) media.endpoint.part()
    this.#call.tell({ kind: 'three-way.parted', legs: this.legs.map(({ id }) => id) })
  }

  replace(leg: Leg, by: Leg): boolean {
    if (this.#over || !this.legs.includes(leg)) return false
    this.close()
    leg.hangUp({ kind: 'transferred', by: leg.role, detail: `${by.endpoint.number} took over` })
    const [a, b, c] = this.legs
    this.#events.onReplaced([a === leg ? by : a, b === leg ? by : b, c === leg ? by : c])
    return true
  }

  #left(leg: Leg, outcome: Outcome, isLast: boolean): void {
    this.close()
    const [one, other] = this.legs.filter((each) => each !== leg)
    if (isLast || one === undefined || other === undefined) this.#events.onOver(outcome)
    else this.#events.onTwo(one, other)
  }
}
