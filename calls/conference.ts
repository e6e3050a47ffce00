import type { Outcome } from '#contract/outcome.ts'
import { ConferenceMember, type MemberManner } from '#calls/conference-member.ts'
import type { Leg } from '#calls/leg.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { Recording } from '#calls/record.ts'
import type { Endpoint, PlayItem } from '#media/engine.ts'

/** How a room is kept. */
export interface ConferenceTerms {
  readonly tenant: string
  /** Its name in facts. */
  readonly id: string
  readonly maxMembers: number
  /** Who is no moderator comes in muted. */
  readonly mutedOnEntry: boolean
  /** One beep when somebody comes, two when somebody goes. */
  readonly tones: boolean
  readonly records: boolean
  /** What somebody alone hears, looped; empty: silence. */
  readonly music: readonly PlayItem[]
}

const came: readonly PlayItem[] = [{ kind: 'tone', tone: 'beep', ms: 200 }]
const went: readonly PlayItem[] = [
  { kind: 'tone', tone: 'beep', ms: 100 },
  { kind: 'silence', ms: 80 },
  { kind: 'tone', tone: 'beep', ms: 100 },
]

const ended: Outcome = { kind: 'completed', by: 'us', detail: 'the conference was ended' }

/**
 * A room where legs of different calls hear each other. Each member has a call and a record of its own; the room is what they share: who is there,
 * whether it is locked, its tones, its music for somebody alone, its recording. It is there while it has members.
 *
 * The recording is made at one member, who hears and says all there is, and goes on at another when that one leaves.
 */
export class Conference {
  readonly terms: ConferenceTerms
  readonly #needs: CallNeeds
  readonly #onEmpty: () => void
  readonly #members = new Set<ConferenceMember>()
  /** Says what the room says. */
  #voice: Endpoint | null = null
  #recorded: ConferenceMember | null = null
  #isLocked: boolean

  /** `onEmpty`: the last has left, and this room is no more. */
  constructor(needs: CallNeeds, terms: ConferenceTerms, kept: { isLocked: boolean }, onEmpty: () => void) {
    this.#needs = needs
    this.terms = terms
    this.#isLocked = kept.isLocked
    this.#onEmpty = onEmpty
  }

  get members(): ReadonlySet<ConferenceMember> {
    return this.#members
  }
  get isLocked(): boolean {
    return this.#isLocked
  }
  get room(): string {
    return `conference/${this.terms.tenant}/${this.terms.id}`
  }

  /** Why somebody is not let in. Moderators come into locked rooms, too. */
  against(isModerator: boolean): 'full' | 'locked' | null {
    if (this.#members.size >= this.terms.maxMembers) return 'full'
    return this.#isLocked && !isModerator ? 'locked' : null
  }

  /** Somebody who talks comes in; the leg's call ends when the leg leaves. */
  enter(leg: Leg, manner: MemberManner): ConferenceMember {
    const member = new ConferenceMember(this, leg, manner)
    this.#members.add(member)
    this.#speak(manner.isAdopted === true ? [] : came, leg)
    // After a restart members come back one after the other, and nobody among them is alone.
    if (manner.isAdopted === true) queueMicrotask(() => this.#console())
    else this.#console()
    this.#record()
    return member
  }

  /** For the member itself. */
  left(member: ConferenceMember): void {
    if (!this.#members.delete(member)) return
    if (this.#members.size === 0) {
      this.#voice?.close()
      this.#voice = null
      this.lock(false)
      this.#onEmpty()
      return
    }
    this.#speak(went, member.leg)
    this.#console()
    if (this.#recorded !== member) return
    this.#recorded = null
    this.#record()
  }

  lock(isLocked: boolean): void {
    if (isLocked === this.#isLocked) return
    this.#isLocked = isLocked
    const { tenant, id } = this.terms
    this.#needs.journal.append({ kind: 'conference.locked', tenant, conference: id, locked: isLocked })
    this.#needs.journal.keep(`conference/${tenant}/${id}`, isLocked ? { isLocked } : null)
    // At once: a dying server would open the door.
    this.#needs.journal.whenKept(() => undefined)
  }

  /** Everybody is let go. */
  end(): void {
    for (const member of [...this.#members]) member.letGo(ended)
  }

  /** The one who is alone hears music, nobody else does. */
  #console(): void {
    const isAlone = this.#members.size === 1
    for (const member of this.#members) member.wait(isAlone ? this.terms.music : [])
  }

  #speak(items: readonly PlayItem[], near: Leg): void {
    if (!this.terms.tones || items.length === 0 || this.#members.size < 2) return
    if (this.#voice === null) {
      const [first = near] = [...this.#members].map(({ leg }) => leg)
      this.#voice = this.#needs.media.open({}, first.media.endpoint)
      this.#voice?.mix(this.room)
    }
    this.#voice?.play(items)
  }

  #record(): void {
    if (!this.terms.records || this.#recorded !== null) return
    const members = [...this.#members]
    const running = members.find(({ leg }) => leg.call.recordings.values().some((recording) => recording.leg === leg.id))
    this.#recorded = running ?? members[0] ?? null
    if (running === undefined && this.#recorded !== null) {
      const { leg } = this.#recorded
      Recording.start(leg.call, leg, { id: this.#needs.random.hex(12), mailTo: [] })
    }
  }
}
