import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import { Gather } from '#calls/gather.ts'
import type { Leg } from '#calls/leg.ts'
import type { PlayItem } from '#media/engine.ts'
import type { ConferenceWords } from '#server/conferences/conference-voice.ts'

/** What a caller at the door is measured by. */
export interface Door {
  readonly conference: string
  /** The longest PIN: so many digits are taken without a hash. */
  readonly longest: number
  /** Whose PIN these digits are; null: nobody's. */
  whose(digits: string): 'member' | 'moderator' | null
  /** Why nobody more is let in that way. */
  against(isModerator: boolean): 'full' | 'locked' | null
  /** Wrong PINs that are still taken today. */
  triesLeft(): number
  /** Another wrong one; @returns how many are left. */
  missed(): number
  say(words: ConferenceWords): Promise<readonly PlayItem[]>
  onAdmitted(isModerator: boolean): void
  /** Absent: who is sent away is hung up on. */
  onRefused?(outcome: Outcome): void
  /** Who has sent the caller here. */
  readonly sentBy: EndpointRef | null
}

/** What a restarted server asks again by. */
export interface EntranceStory {
  readonly kind: 'conference-entrance'
  readonly conference: string
  readonly leg: string
  readonly sentBy: EndpointRef | null
}

/** So often a caller may be wrong, or say nothing, in one call. */
const attempts = 3

const refusals = { full: 'the conference is full', locked: 'the conference is locked' } as const

/** A caller at the door of a conference: is asked for the PIN, and let in or sent away. */
export class Entrance implements Part {
  readonly #call: Call
  readonly #leg: Leg
  readonly #door: Door
  readonly #gather: Gather
  readonly #left: Disposable
  #attempt = 1
  #over = false

  constructor(call: Call, leg: Leg, door: Door) {
    this.#call = call
    this.#leg = leg
    this.#door = door
    call.own(this)
    call.story = { kind: 'conference-entrance', conference: door.conference, leg: leg.id, sentBy: door.sentBy } satisfies EntranceStory
    this.#left = leg.onEnded.on((outcome) => call.end(outcome))
    this.#gather = new Gather(leg, door.longest, { onEntered: (digits) => this.#entered(digits), onSilent: () => this.#silent() })
    if (door.triesLeft() === 0) this.#refuse('too-many-tries', 'closed', 'no PIN is taken any more today')
    else this.#gather.ask(door.say('pin'))
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#left[Symbol.dispose]()
    this.#gather[Symbol.dispose]()
    this.#call.disown(this)
  }

  #silent(): void {
    if (this.#attempt++ < attempts) this.#gather.ask(this.#door.say('pin'))
    else this.#hangUp({ kind: 'abandoned', by: 'caller', detail: 'no PIN was entered' })
  }

  #entered(digits: string): void {
    // Others may have used up the day's tries since this caller was asked.
    if (this.#door.triesLeft() === 0) {
      this.#refuse('too-many-tries', 'closed', 'no PIN is taken any more today')
      return
    }
    const whose = this.#door.whose(digits)
    if (whose === null) {
      this.#missed()
      return
    }
    const against = this.#door.against(whose === 'moderator')
    if (against !== null) {
      this.#refuse(against, against, refusals[against])
      return
    }
    this.close()
    this.#door.onAdmitted(whose === 'moderator')
  }

  #missed(): void {
    const left = this.#door.missed()
    if (left === 0) this.#refuse('wrong-pin', 'closed', 'the PIN was wrong, and none is taken any more today')
    else if (this.#attempt++ >= attempts) this.#refuse('wrong-pin', 'closed', `the PIN was wrong ${attempts} times`)
    else {
      this.#tellRefused('wrong-pin')
      this.#gather.ask(this.#door.say('wrong-pin'))
    }
  }

  #tellRefused(why: 'wrong-pin' | 'too-many-tries' | 'full' | 'locked'): void {
    this.#call.tell({ kind: 'conference.refused', leg: this.#leg.id, conference: this.#door.conference, why })
  }

  #refuse(why: 'wrong-pin' | 'too-many-tries' | 'full' | 'locked', words: ConferenceWords, detail: string): void {
    this.#tellRefused(why)
    this.#gather.part(this.#door.say(words), () => this.#hangUp({ kind: 'barred', by: 'us', detail }))
  }

  #hangUp(outcome: Outcome): void {
    this.close()
    if (this.#door.onRefused !== undefined) {
      this.#door.onRefused(outcome)
      return
    }
    this.#leg.hangUp(outcome)
    this.#call.end(outcome)
  }
}
