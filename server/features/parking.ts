import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import { Park } from '#calls/park.ts'
import type { Referral } from '#calls/referral.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayItem } from '#media/engine.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { say } from '#server/features/say.ts'

export interface ParkingNeeds {
  /** Says which slot it is; empty: there is no voice for it. */
  announce: (slot: string, config: CompiledConfig) => Promise<readonly PlayItem[]>
}

/** What parking needs of the company that the call belongs to. */
export interface Surroundings {
  readonly config: CompiledConfig
  readonly music: readonly PlayItem[]
  onFetched(party: Leg, by: Leg): void
  /** The party goes where the company wants calls that nobody fetched. */
  onForgotten(party: Leg): void
}

/** The part of a call's story from which a restarted server parks it again. */
export interface ParkedStory {
  kind: 'parked'
  leg: string
  slot: string
  by: EndpointRef | null
  since: number
}

/** Somewhere a call can be sent that is not a phone. */
export interface Place {
  /** A parking slot; null: something else. */
  readonly slot: string | null
  /** Takes the party; `by`, who has sent it there, is told and let go. */
  take(party: Leg, by: Leg, referral: Referral): void
}

/** The slots of all companies, and who waits in them. */
export class Parking {
  readonly #needs: ParkingNeeds
  readonly #slots = new Map<string, Park>()

  constructor(needs: ParkingNeeds) {
    this.#needs = needs
  }

  /** Who waits in a slot. */
  at(tenant: string, slot: string): Park | null {
    return this.#slots.get(`${tenant} ${slot}`) ?? null
  }

  /** All who wait, in the order of the slots. */
  of(tenant: string, config: CompiledConfig): Park[] {
    return [...config.settled.features.slots].flatMap((slot) => this.at(tenant, slot) ?? [])
  }

  /** The place that was dialled: a slot, or the code for the first that is free; null: neither. Refused while it is taken. */
  placeFor(call: Call, number: string, around: Surroundings): (Place & { slot: string }) | { refused: Outcome } | null {
    const { codes, slots } = around.config.settled.features
    const isAny = number === codes.park
    if (!isAny && !slots.has(number)) return null
    const { tenant } = call.identity
    const slot = isAny ? [...slots].find((each) => this.at(tenant, each) === null) : number
    if (slot === undefined || this.at(tenant, slot) !== null)
      return {
        refused: { kind: 'busy', by: 'us', sip: 486, detail: isAny ? 'every slot is taken' : `somebody waits at ${number} already` },
      }
    return { slot, take: (party, by, referral) => this.#park(call, { party, by, referral, slot, says: isAny }, around) }
  }

  /** Goes on with a call that waited in an earlier life of the server; false when it cannot. */
  resume(call: Call, story: ParkedStory, around: Surroundings): boolean {
    const party = call.legs.find((leg) => leg.id === story.leg)
    if (party === undefined || this.at(call.identity.tenant, story.slot) !== null) return false
    for (const leg of call.legs) if (leg !== party) leg.hangUp({ kind: 'transferred', by: leg.role, detail: `parked at ${story.slot}` })
    this.#put(call, party, story, around)
    return true
  }

  #park(call: Call, as: { party: Leg; by: Leg; referral: Referral; slot: string; says: boolean }, around: Surroundings): void {
    const { party, by, referral, slot } = as
    referral.notify(100, 'Trying')
    this.#put(call, party, { slot, by: by.endpoint }, around)
    const done = (): void => {
      referral.notify(200, 'OK')
      by.hangUp({ kind: 'transferred', by: by.role, detail: `parked at ${slot}` })
    }
    // Whoever has put us on hold for it would not hear.
    if (!as.says || by.media.isHeld) done()
    else void this.#needs.announce(slot, around.config).then((items) => say(by, items, done), done)
  }

  #put(call: Call, party: Leg, at: { slot: string; by: EndpointRef | null; since?: number }, around: Surroundings): void {
    const { slot, by, since } = at
    const { parkedMs, afterParking } = around.config.settled.features
    const key = `${call.identity.tenant} ${slot}`
    const terms = { slot, by, music: around.music, waitMs: parkedMs, goesOn: afterParking !== null, ...(since !== undefined && { since }) }
    const park = new Park(call, party, terms, {
      onFetched: (one, other) => around.onFetched(one, other),
      onForgotten: (one) => around.onForgotten(one),
      onFree: () => this.#slots.delete(key),
    })
    this.#slots.set(key, park)
    call.story = { kind: 'parked', leg: party.id, slot, by, since: park.since } satisfies ParkedStory
  }
}

export function isParkedStory(story: unknown): story is ParkedStory {
  return typeof story === 'object' && story !== null && 'kind' in story && story.kind === 'parked' && 'slot' in story && 'since' in story
}
