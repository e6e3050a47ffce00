import type { Call } from '#calls/call.ts'
import { Conference } from '#calls/conference.ts'
import type { ConferenceStory } from '#calls/conference-member.ts'
import type { Leg } from '#calls/leg.ts'
import type { CallIdentity, CallNeeds } from '#calls/needs.ts'
import type { Secret } from '#contract/documents/fields.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayItem } from '#media/engine.ts'
import type { CompiledConference } from '#server/config/compiled.ts'
import type { ConferenceWords } from '#server/conferences/conference-voice.ts'
import { Entrance, type EntranceStory } from '#server/conferences/entrance.ts'
import { PinTries, type PinTriesNeeds, TRIES_A_DAY } from '#server/conferences/pin-tries.ts'

export interface ConferencesNeeds extends PinTriesNeeds {
  readonly secretOf: (tenant: string, secret: Secret) => string | null
  readonly say: (words: ConferenceWords, on: CallIdentity) => Promise<readonly PlayItem[]>
}

/** Which room, as the call that comes to it knows it. */
export interface RoomWanted {
  readonly conference: CompiledConference
  readonly timeZone: string
  /** Of the company, for somebody alone. */
  readonly music: readonly PlayItem[]
  /** Somebody has sent the caller here, and has them again when they are not let in. */
  readonly sent?: { readonly by: EndpointRef; onRefused(outcome: Outcome): void }
}

/** The companies' conferences: who is let in, and the rooms where anybody is. */
export class Conferences {
  readonly #needs: ConferencesNeeds
  readonly #tries: PinTries
  readonly #rooms = new Map<string, Conference>()
  /** Rooms that were locked when the process before this one ended. */
  readonly #locked: Set<string>

  constructor(needs: ConferencesNeeds) {
    this.#needs = needs
    this.#tries = new PinTries(needs)
    this.#locked = new Set(needs.kept('conference/').keys())
  }

  /** The room of a company; null while nobody is there. */
  find(tenant: string, id: string): Conference | null {
    return this.#rooms.get(keyOf(tenant, id)) ?? null
  }

  /** A caller who has been answered comes to a room: asked for the PIN where there is one. */
  arrive(call: Call, leg: Leg, wanted: RoomWanted): void {
    const { pin, moderatorPin } = wanted.conference
    if (pin === null && moderatorPin === null) this.#admitFreely(call, leg, wanted)
    else this.#ask(call, leg, wanted)
  }

  /** Somebody whom the room itself has called comes in without being asked. */
  invited(call: Call, leg: Leg, wanted: RoomWanted): void {
    this.#enter(call, leg, { ...wanted, isModerator: false })
  }

  /** After a restart of the server, members first: who was in is in again, who was being asked is asked again. */
  restore(call: Call, story: ConferenceStory | EntranceStory, wanted: RoomWanted): boolean {
    const leg = call.legs.find(({ id }) => id === story.leg)
    if (leg === undefined) return false
    if (story.kind === 'conference-entrance') this.arrive(call, leg, wanted)
    else this.#open(call.needs, call.identity.tenant, wanted).enter(leg, { ...story, isAdopted: true })
    return true
  }

  #admitFreely(call: Call, leg: Leg, wanted: RoomWanted): void {
    const against = this.find(call.identity.tenant, wanted.conference.id)?.against(false) ?? null
    if (against === null) this.#enter(call, leg, { ...wanted, isModerator: false })
    else {
      call.tell({ kind: 'conference.refused', leg: leg.id, conference: wanted.conference.id, why: against })
      const outcome = { kind: 'barred', by: 'us', detail: `the conference is ${against}` } as const
      if (wanted.sent !== undefined) {
        wanted.sent.onRefused(outcome)
        return
      }
      leg.hangUp(outcome)
      call.end(outcome)
    }
  }

  #ask(call: Call, leg: Leg, wanted: RoomWanted): void {
    const { conference, timeZone, sent } = wanted
    const { tenant } = call.identity
    const [pin, moderatorPin] = [conference.pin, conference.moderatorPin].map((secret) =>
      secret === null ? null : this.#needs.secretOf(tenant, secret),
    )
    new Entrance(call, leg, {
      conference: conference.id,
      longest: Math.max(pin?.length ?? 0, moderatorPin?.length ?? 0, 1),
      whose: (digits) => {
        if (moderatorPin != null && digits === moderatorPin) return 'moderator'
        // A room with a PIN for moderators only lets everybody else in who presses hash.
        return digits === (conference.pin === null ? '' : pin) ? 'member' : null
      },
      against: (isModerator) => this.find(tenant, conference.id)?.against(isModerator) ?? null,
      triesLeft: () => this.#tries.left(tenant, conference.id, timeZone),
      missed: () => this.#missed(call, conference.id, timeZone),
      say: (words) => this.#needs.say(words, call.identity),
      onAdmitted: (isModerator) => this.#enter(call, leg, { ...wanted, isModerator }),
      sentBy: sent?.by ?? null,
      ...(sent !== undefined && { onRefused: (outcome) => sent.onRefused(outcome) }),
    })
  }

  #missed(call: Call, conference: string, timeZone: string): number {
    const left = this.#tries.missed(call.identity.tenant, conference, timeZone)
    if (left === 0) {
      const detail = `the PIN of conference ${conference} was entered wrong ${TRIES_A_DAY} times today: nobody more is let in by it until tomorrow`
      call.tell({ kind: 'alarm.raised', rule: 'pin-guessing', severity: 'warning', detail })
    }
    return left
  }

  #enter(call: Call, leg: Leg, wanted: RoomWanted & { isModerator: boolean }): void {
    this.#open(call.needs, call.identity.tenant, wanted).enter(leg, { isModerator: wanted.isModerator })
  }

  #open(calls: CallNeeds, tenant: string, { conference, music }: RoomWanted): Conference {
    const key = keyOf(tenant, conference.id)
    const open = this.#rooms.get(key)
    if (open !== undefined) return open
    const { id, maxMembers, mutedOnEntry, tones, record: records } = conference
    const terms = { tenant, id, maxMembers, mutedOnEntry, tones, records, music: conference.music ? music : [] }
    const room = new Conference(calls, terms, { isLocked: this.#locked.delete(key) }, () => this.#rooms.delete(key))
    this.#rooms.set(key, room)
    return room
  }
}

/** As the room keeps its lock. */
function keyOf(tenant: string, id: string): string {
  return `conference/${tenant}/${id}`
}
