import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Part } from '#calls/call.ts'
import type { Conference } from '#calls/conference.ts'
import type { Leg } from '#calls/leg.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'

/** How somebody is in a room. */
export interface MemberManner {
  readonly isModerator: boolean
  /** Default: as the room has it on entry. */
  readonly isMuted?: boolean
  /** Has been there since before the server was restarted: nothing is told again. */
  readonly isAdopted?: boolean
}

/** What a restarted server finds a member's call by. */
export interface ConferenceStory {
  readonly kind: 'conference'
  readonly conference: string
  readonly leg: string
  readonly isModerator: boolean
  readonly isMuted: boolean
}

/**
 * One leg in a room, as a part of its own call, which ends when the leg leaves. By keys: `*6` mutes and unmutes oneself; for moderators `*5`
 * locks and unlocks the room, `*9` ends it.
 */
export class ConferenceMember implements Part {
  readonly #conference: Conference
  readonly isModerator: boolean
  #leg: Leg
  #isMuted: boolean
  #waiting: PlayId | null = null
  #lastKey = ''
  readonly #listening = new Disposals()
  #over = false

  constructor(conference: Conference, leg: Leg, manner: MemberManner) {
    this.#conference = conference
    this.#leg = leg
    this.isModerator = manner.isModerator
    this.#isMuted = manner.isMuted ?? (conference.terms.mutedOnEntry && !manner.isModerator)
    leg.call.own(this)
    this.#take(leg)
    if (manner.isAdopted !== true)
      leg.call.tell({
        ...{ kind: 'conference.joined', leg: leg.id, conference: conference.terms.id, moderator: this.isModerator },
        ...(this.#isMuted && { muted: true }),
      })
  }

  get leg(): Leg {
    return this.#leg
  }
  get conference(): Conference {
    return this.#conference
  }
  get isMuted(): boolean {
    return this.#isMuted
  }

  mute(isMuted: boolean): void {
    if (this.#over || isMuted === this.#isMuted) return
    this.#isMuted = isMuted
    this.#leg.call.tell({ kind: 'conference.muted', leg: this.#leg.id, conference: this.#conference.terms.id, muted: isMuted })
    this.#mix()
  }

  /** Hears this, looped, until it is to hear nothing. */
  wait(items: readonly PlayItem[]): void {
    const { endpoint } = this.#leg.media
    if (items.length > 0) this.#waiting ??= endpoint.play(items, { loop: true })
    else if (this.#waiting !== null) {
      endpoint.stop(this.#waiting)
      this.#waiting = null
    }
  }

  /** Is asked to leave: its call ends. */
  letGo(outcome: Outcome): void {
    const { call } = this.#leg
    this.#leg.hangUp(outcome)
    call.end(outcome)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.wait([])
    this.#leg.media.endpoint.part()
    this.#leg.call.disown(this)
    this.#leg.call.tell({ kind: 'conference.left', leg: this.#leg.id, conference: this.#conference.terms.id })
    this.#conference.left(this)
  }

  replace(leg: Leg, by: Leg): boolean {
    if (this.#over || leg !== this.#leg) return false
    this.#listening[Symbol.dispose]()
    this.#waiting = null
    this.#take(by)
    leg.hangUp({ kind: 'transferred', by: leg.role, detail: `${by.endpoint.number} took over` })
    return true
  }

  #take(leg: Leg): void {
    this.#leg = leg
    this.#listening.use(leg.onEnded.on((outcome) => leg.call.end(outcome)))
    this.#listening.use(leg.onDigit.on((digit) => this.#pressed(digit)))
    // Whoever puts a conference on hold is not heard there: what its phone plays is for nobody.
    this.#listening.use(leg.onHold.on(() => this.#mix()))
    this.#mix()
  }

  #mix(): void {
    const { endpoint, isHeld } = this.#leg.media
    endpoint.mix(this.#conference.room, this.#isMuted || isHeld ? { speaks: 0 } : {})
    const names = { conference: this.#conference.terms.id, leg: this.#leg.id }
    this.#leg.call.story = { kind: 'conference', ...names, isModerator: this.isModerator, isMuted: this.#isMuted } satisfies ConferenceStory
  }

  #pressed(digit: string): void {
    const keys = this.#lastKey + digit
    this.#lastKey = digit
    if (keys === '*6') this.mute(!this.#isMuted)
    else if (keys === '*5' && this.isModerator) this.#conference.lock(!this.#conference.isLocked)
    else if (keys === '*9' && this.isModerator) this.#conference.end()
  }
}
