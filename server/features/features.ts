import { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { openInbound, openLeg } from '#calls/inbound-leg.ts'
import { talkOf } from '#calls/join.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import { type Taker, takePlace } from '#server/calls/replacing.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Feature } from '#server/config/features.ts'
import { callerAddress } from '#server/dialplan/directory.ts'
import { encryptionOf } from '#server/dialplan/encryption-of.ts'
import type { Callbacks } from '#server/features/callbacks.ts'
import type { CallbackSaid, CallbackVoice } from '#server/features/callback-voice.ts'
import type { Parking } from '#server/features/parking.ts'
import { conversationOf, ringingAt, ringingInGroups, type Searched } from '#server/features/pickup.ts'
import { say } from '#server/features/say.ts'
import type { IncomingInvite } from '#sip/agent.ts'

export interface FeatureNeeds {
  calls: CallNeeds
  live: Pick<LiveCalls, 'of' | 'add'>
  parking: Parking
  callbacks: Pick<Callbacks, 'failedOf' | 'request' | 'cancel'>
  voice: Pick<CallbackVoice, 'say'>
}

/** The phone that dialled a code. */
export interface Dialling {
  readonly tenant: string
  readonly config: CompiledConfig
  readonly version: number
  readonly dialled: string
  readonly device: CompiledDevice
  readonly endpoint: EndpointRef
}

/** The longest that a phone is on the line to be told something. */
const sayingMs = 60_000

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
        return
      case 'callback':
        this.#tell(incoming, by, this.#callBack(by))
        return
      case 'cancel-callback':
        this.#needs.callbacks.cancel(by.tenant, by.endpoint.number)
        this.#tell(incoming, by, { kind: 'cancelled' })
    }
  }

  #callBack({ tenant, endpoint }: Dialling): CallbackSaid {
    const { callbacks } = this.#needs
    const failed = callbacks.failedOf(tenant, endpoint.number)
    const asked = failed === null ? null : callbacks.request(tenant, endpoint.number, failed)
    return asked === null ? { kind: 'nobody' } : { kind: 'requested', to: asked.to }
  }

  /** Answers, says so, and hangs up. */
  #tell(incoming: IncomingInvite, by: Dialling, said: CallbackSaid): void {
    const { calls, live, voice } = this.#needs
    const { tenant, config, endpoint, device } = by
    const { number, name } = endpoint
    const from = { number, ...(name !== undefined && { name }) }
    const call = new Call(calls, { tenant, call: calls.random.hex(10), config: by.version, from, asker: endpoint })
    live.add(call)
    call.tell({ kind: 'call.started', direction: 'internal', from, to: { number: by.dialled }, config: by.version })
    call.limit(sayingMs, { kind: 'too-long', by: 'us', detail: 'nothing could be said in time' })
    const opened = openInbound(call, incoming, endpoint, { encryption: encryptionOf(config, device), codecs: device.codecs })
    if (opened === null) return
    const { leg } = opened
    leg.onEnded.on((outcome) => call.end(outcome))
    const done = (): void => leg.hangUp({ kind: 'completed', by: 'us' })
    opened.answer(() => void voice.say(said, config.company.language).then((items) => say(leg, items, done), done))
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
