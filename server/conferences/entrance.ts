import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'
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
/** After the question, and after each digit. */
const patienceMs = 10_000

const refusals = { full: 'the conference is full', locked: 'the conference is locked' } as const

/** A caller at the door of a conference: is asked for the PIN, and let in or sent away. */
export class Entrance implements Part {
  readonly #call: Call
  readonly #leg: Leg
  readonly #door: Door
  readonly #listening = new DisposableStack()
  #digits = ''
  #attempt = 1
  #playing: PlayId | null = null
  #patience: Disposable | null = null
  #parting: Outcome | null = null
  #over = false

  constructor(call: Call, leg: Leg, door: Door) {
    this.#call = call
    this.#leg = leg
    this.#door = door
    call.own(this)
    call.story = { kind: 'conference-entrance', conference: door.conference, leg: leg.id, sentBy: door.sentBy } satisfies EntranceStory
    leg.hidesDigits = true
    this.#listening.use(leg.onDigit.on((digit) => this.#pressed(digit)))
    this.#listening.use(leg.onEnded.on((outcome) => call.end(outcome)))
    leg.media.attach({ onPlayed: (play) => this.#played(play) })
    if (door.triesLeft() === 0) this.#refuse('too-many-tries', 'closed', 'no PIN is taken any more today')
    else this.#speak('pin')
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#patience?.[Symbol.dispose]()
    this.#listening.dispose()
    this.#leg.hidesDigits = false
    if (this.#playing !== null) this.#leg.media.endpoint.stop(this.#playing)
    this.#call.disown(this)
  }

  #speak(words: ConferenceWords): void {
    this.#wait()
    const begin = (items: readonly PlayItem[]): void => {
      if (this.#over || (this.#digits !== '' && this.#parting === null)) return
      if (items.length === 0) this.#said()
      else this.#playing = this.#leg.media.endpoint.play(items)
    }
    this.#door.say(words).then(begin, () => begin([]))
  }

  #played(play: PlayId): void {
    if (play !== this.#playing) return
    this.#playing = null
    this.#said()
  }

  #said(): void {
    if (this.#parting !== null) this.#hangUp(this.#parting)
    else this.#wait()
  }

  #wait(): void {
    this.#patience?.[Symbol.dispose]()
    // The question itself may take as long again.
    this.#patience = this.#call.needs.clock.after(this.#playing === null ? patienceMs : 2 * patienceMs, () => this.#silent())
  }

  #silent(): void {
    if (this.#parting !== null) this.#hangUp(this.#parting)
    else if (this.#digits !== '') this.#entered()
    else if (this.#attempt++ < attempts) this.#speak('pin')
    else this.#hangUp({ kind: 'abandoned', by: 'caller', detail: 'no PIN was entered' })
  }

  #pressed(digit: string): void {
    if (this.#over || this.#parting !== null) return
    if (this.#playing !== null) this.#leg.media.endpoint.stop(this.#playing)
    this.#playing = null
    if (digit !== '#') this.#digits += digit
    if (digit === '#' || this.#digits.length >= this.#door.longest) this.#entered()
    else this.#wait()
  }

  #entered(): void {
    const digits = this.#digits
    this.#digits = ''
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
      this.#speak('wrong-pin')
    }
  }

  #tellRefused(why: 'wrong-pin' | 'too-many-tries' | 'full' | 'locked'): void {
    this.#call.tell({ kind: 'conference.refused', leg: this.#leg.id, conference: this.#door.conference, why })
  }

  #refuse(why: 'wrong-pin' | 'too-many-tries' | 'full' | 'locked', words: ConferenceWords, detail: string): void {
    this.#tellRefused(why)
    this.#parting = { kind: 'barred', by: 'us', detail }
    this.#speak(words)
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
