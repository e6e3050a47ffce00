import type { Leg } from '#calls/leg.ts'
import { openLeg } from '#calls/inbound-leg.ts'
import { talkOf } from '#calls/join.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import { type Taker, takePlace } from '#server/calls/replacing.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Feature } from '#server/config/features.ts'
import { callerAddress } from '#server/dialplan/directory.ts'
import { encryptionOf } from '#server/dialplan/encryption-of.ts'
import type { Parking } from '#server/features/parking.ts'
import { conversationOf, ringingAt, ringingInGroups, type Searched } from '#server/features/pickup.ts'
import type { IncomingInvite } from '#sip/agent.ts'

export interface FeatureNeeds {
  live: Pick<LiveCalls, 'of'>
  parking: Parking
}

/** The phone that dialled a code. */
export interface Dialling {
  readonly tenant: string
  readonly config: CompiledConfig
  readonly device: CompiledDevice
  readonly endpoint: EndpointRef
}

/** What phones do by dialling a code instead of a number: fetch, pick up, bring over. Each call it concerns goes on as the same call. */
export class Features {
  readonly #needs: FeatureNeeds

  constructor(needs: FeatureNeeds) {
    this.#needs = needs
  }

  /** Answers the INVITE, in one way or another. */
  dialled(incoming: IncomingInvite, feature: Feature, by: Dialling): void {
    const at: Searched = { live: this.#needs.live, tenant: by.tenant, config: by.config }
    switch (feature.kind) {
      case 'slot':
        this.#fetch(incoming, feature.slot, by)
        return
      case 'park':
        incoming.reject(403, 'Transfer a call here to park it')
        return
      case 'pickup':
        if (by.config.settled.features.slots.has(feature.number)) this.#fetch(incoming, feature.number, by)
        else this.#pickUp(incoming, ringingAt(at, feature.number), by)
        return
      case 'group-pickup':
        this.#pickUp(incoming, ringingInGroups(at, by.device), by)
        return
      case 'flip':
        this.#flip(incoming, conversationOf(at, by.device), by)
    }
  }

  #fetch(incoming: IncomingInvite, slot: string, by: Dialling): void {
    const park = this.#needs.parking.at(by.tenant, slot)
    if (park === null) {
      incoming.reject(404, 'Nobody waits there')
      return
    }
    const { party } = park
    const role = party.role === 'caller' ? 'callee' : 'caller'
    const opened = openLeg(party.call, incoming, { ...takerOf(by, party.endpoint), role })
    if (!('leg' in opened)) return
    const { leg } = opened
    opened.answer(() => {
      if (!park.fetch(leg)) leg.hangUp({ kind: 'failed', by: 'us', detail: 'somebody else was quicker' })
    })
  }

  #pickUp(incoming: IncomingInvite, rings: Leg | null, by: Dialling): void {
    if (rings === null) {
      incoming.reject(404, 'Nothing rings there')
      return
    }
    const { call } = rings
    takePlace(incoming, rings, takerOf(by, call.identity.from), (leg) => call.tell({ kind: 'call.picked-up', leg: rings.id, by: leg.id }))
  }

  #flip(incoming: IncomingInvite, leg: Leg | null, by: Dialling): void {
    const talk = leg === null ? null : talkOf(leg)
    if (talk === null) {
      incoming.reject(404, 'There is no call on another phone of yours')
      return
    }
    const { leg: from, other } = talk
    takePlace(incoming, from, takerOf(by, other.endpoint), (to) => from.call.tell({ kind: 'call.flipped', leg: from.id, by: to.id }))
  }
}

/** How the phone comes in, and whom it is shown. */
function takerOf({ config, device, endpoint }: Dialling, party: { number: string; name?: string }): Taker {
  return {
    endpoint,
    encryption: encryptionOf(config, device),
    codecs: device.codecs,
    ...(party.number !== '' && { connectedWith: callerAddress(party, config.settled.sipDomain) }),
  }
}
