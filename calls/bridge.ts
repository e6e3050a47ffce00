import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayId, PlayItem, RoomId } from '#media/engine.ts'
import type { Call, Part } from '#calls/call.ts'
import { InCallMessages } from '#calls/in-call-message.ts'
import type { Leg } from '#calls/leg.ts'
import type { Referral } from '#calls/referral.ts'

export interface BridgeEvents {
  /** One party left; the other is still there. */
  onParted(left: Leg, remaining: Leg, outcome: Outcome): void
  /** A party asks that the other be connected elsewhere. */
  onReferral(from: Leg, other: Leg, referral: Referral): void
  /** `by` has taken the place of a party, which has been let go, and is to talk with the other. */
  onReplaced(other: Leg, by: Leg): void
}

/** Somebody who is with the two of a bridge: a supervisor. */
export interface Guest {
  /** The two no longer talk over this bridge, and the room is no more. */
  onParted(): void
}

/** Two legs that hear each other. Who is put on hold hears music; whoever leaves, the bridge parts, once. */
export class Bridge implements Part {
  readonly legs: readonly [Leg, Leg]
  #call: Call
  #events: BridgeEvents
  #music: readonly PlayItem[]
  readonly #listening = new Disposals()
  /** Made when somebody is put on hold, writes or is listened to: most calls see none of it. */
  #held: Map<Leg, PlayId> | null = null
  #messages: InCallMessages | null = null
  #guests: Set<Guest> | null = null
  #over = false

  /** `music`: what a held party hears, looped; empty for silence. */
  constructor(call: Call, legs: readonly [Leg, Leg], music: readonly PlayItem[], events: BridgeEvents) {
    this.#call = call
    this.legs = legs
    this.#music = music
    this.#events = events
    const [a, b] = legs
    a.media.endpoint.join(b.media.endpoint)
    call.tell({ kind: 'bridge.joined', legs: [a.id, b.id] })
    call.own(this)
    this.#watch(a, b)
    this.#watch(b, a)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.#call.disown(this)
    if (this.#held !== null) for (const [leg, play] of this.#held) leg.media.endpoint.stop(play)
    this.#held = null
    const [a, b] = this.legs
    a.media.endpoint.part()
    b.media.endpoint.part()
    this.#call.tell({ kind: 'bridge.parted', legs: [a.id, b.id] })
    for (const guest of [...(this.#guests ?? [])]) guest.onParted()
    this.#guests?.clear()
  }

  /** The room in which the two meet while anybody is with them. */
  get room(): RoomId {
    const [a, b] = this.legs
    return `bridge/${a.media.endpoint.id}/${b.media.endpoint.id}`
  }

  /** Somebody comes to be with the two: from now they meet in `room`. The result lets the guest go; with the last the two are joined again. */
  admit(guest: Guest): Disposable {
    const [a, b] = this.legs
    const guests = (this.#guests ??= new Set())
    guests.add(guest)
    if (guests.size === 1) for (const { media } of this.legs) media.endpoint.mix(this.room)
    return {
      [Symbol.dispose]: () => {
        if (!guests.delete(guest) || this.#over || guests.size > 0) return
        a.media.endpoint.join(b.media.endpoint)
      },
    }
  }

  sayBeside(leg: Leg, said: readonly PlayItem[]): boolean {
    const [a, b] = this.legs
    const other = leg === a ? b : leg === b ? a : null
    if (this.#over || other === null || other.endpoint.kind !== 'device' || this.#held?.has(other) === true) return false
    other.media.endpoint.play(said)
    return true
  }

  replace(leg: Leg, by: Leg): boolean {
    const [a, b] = this.legs
    if (this.#over || (leg !== a && leg !== b)) return false
    this.close()
    leg.hangUp({ kind: 'transferred', by: leg.role, detail: `${by.endpoint.number} took over` })
    this.#events.onReplaced(leg === a ? b : a, by)
    return true
  }

  #watch(leg: Leg, other: Leg): void {
    const onEnded = leg.onEnded.on((outcome) => {
      this.close()
      this.#events.onParted(leg, other, outcome)
    })
    const onHold = leg.onHold.on((held) => this.#hold(other, held))
    const onReferral = leg.onReferral.on((referral) => this.#events.onReferral(leg, other, referral))
    this.#listening.use(onEnded)
    this.#listening.use(onHold)
    this.#listening.use(onReferral)
    this.#listening.use(leg.onMessage.on((incoming) => (this.#messages ??= new InCallMessages()).pass(incoming, other)))
    if (leg.media.isHeld) this.#hold(other, true)
  }

  /** `leg`'s partner went away for a while, or came back. */
  #hold(leg: Leg, held: boolean): void {
    const playing = this.#held?.get(leg)
    if (held && playing === undefined && this.#music.length > 0) {
      ;(this.#held ??= new Map()).set(leg, leg.media.endpoint.play(this.#music, { loop: true }))
    } else if (!held && playing !== undefined) {
      this.#held?.delete(leg)
      leg.media.endpoint.stop(playing)
    }
  }
}
