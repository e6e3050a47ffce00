import { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { type InboundLeg, openInbound, openLeg } from '#calls/inbound-leg.ts'
import { talkOf } from '#calls/join.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { PlayItem } from '#media/engine.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import { type Taker, takePlace } from '#server/calls/replacing.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Feature } from '#server/config/features.ts'
import { callerAddress } from '#server/dialplan/directory.ts'
import { encryptionOf } from '#server/dialplan/encryption-of.ts'
import { DeskLogin } from '#server/desks/desk-login.ts'
import type { DeskVoice, DeskWords } from '#server/desks/desk-voice.ts'
import type { HotDesks } from '#server/desks/hot-desks.ts'
import type { Callbacks } from '#server/features/callbacks.ts'
import type { CallbackSaid, CallbackVoice } from '#server/features/callback-voice.ts'
import type { Parking } from '#server/features/parking.ts'
import { conversationOf, ringingAt, ringingInGroups, type Searched } from '#server/features/pickup.ts'
import type { FeatureTrouble, FeatureVoice } from '#server/features/feature-voice.ts'
import { say } from '#server/features/say.ts'
import type { IncomingInvite } from '#sip/agent.ts'

export interface FeatureNeeds {
  calls: CallNeeds
  live: Pick<LiveCalls, 'of' | 'add'>
  parking: Parking
  callbacks: Pick<Callbacks, 'failedOf' | 'request' | 'cancel'>
  voice: Pick<CallbackVoice, 'say'>
  desks: Pick<HotDesks, 'check' | 'login' | 'logout' | 'isClosed' | 'longestPin'>
  deskVoice: Pick<DeskVoice, 'say'>
  troubleVoice: Pick<FeatureVoice, 'say'>
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

const troubles: Readonly<Record<FeatureTrouble, Outcome & { sip: number; detail: string }>> = {
  'nothing-rings': { kind: 'wrong-number', by: 'caller', sip: 404, detail: 'Nothing rings there' },
  'nobody-waits': { kind: 'wrong-number', by: 'caller', sip: 404, detail: 'Nobody waits there' },
  'no-other-call': { kind: 'wrong-number', by: 'caller', sip: 404, detail: 'There is no call on another phone of yours' },
  'park-by-transfer': { kind: 'barred', by: 'us', sip: 403, detail: 'Transfer a call here to park it' },
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
        this.#refuse(incoming, by, 'park-by-transfer')
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
        this.#say(incoming, by, this.#callBack(by))
        return
      case 'cancel-callback':
        this.#needs.callbacks.cancel(by.tenant, by.endpoint.number)
        this.#say(incoming, by, { kind: 'cancelled' })
        return
      case 'login':
        this.#login(incoming, by, feature.extension)
        return
      case 'logout':
        this.#tell(incoming, by, this.#words(by, this.#logout(by)))
    }
  }

  /** Nobody has logged in at this phone, and it may not call whom it dialled: it is told so. */
  loggedOut(incoming: IncomingInvite, by: Dialling): void {
    this.#tell(incoming, by, this.#words(by, 'log-in-first'), { kind: 'barred', by: 'us', detail: 'nobody is logged in at this phone' })
  }

  #login(incoming: IncomingInvite, by: Dialling, extension: string | null): void {
    if (!by.device.shared) {
      this.#tell(incoming, by, this.#words(by, 'not-shared'))
      return
    }
    const { desks } = this.#needs
    const { tenant, device } = by
    // What stands behind the extension, or is none, might be a PIN.
    const shown = `${by.config.settled.features.codes.login}${extension !== null && by.config.extensions.has(extension) ? extension : ''}`
    this.#answer(incoming, { ...by, dialled: shown }, (call, leg) => {
      const login = (whose: string, pin: string): 'in' | 'wrong' | 'closed' => {
        const checked = desks.check(tenant, device.id, { extension: whose, pin })
        if ('refused' in checked) return checked.refused === 'too-many-tries' ? 'closed' : 'wrong'
        desks.login({ tenant, device, person: checked.person, extension: whose }, 'phone')
        return 'in'
      }
      const isClosed = (): boolean => desks.isClosed(tenant, device.id)
      new DeskLogin(call, leg, { longestPin: desks.longestPin(tenant), isClosed, login, say: (words) => this.#words(by, words) }, extension)
    })
  }

  #logout({ tenant, device }: Dialling): DeskWords {
    if (!device.shared) return 'not-shared'
    return this.#needs.desks.logout(tenant, device.id, 'phone') === null ? 'nobody' : 'logged-out'
  }

  #words({ config }: Dialling, words: DeskWords): Promise<readonly PlayItem[]> {
    return this.#needs.deskVoice.say(words, config.company.language)
  }

  #say(incoming: IncomingInvite, by: Dialling, said: CallbackSaid): void {
    this.#tell(incoming, by, this.#needs.voice.say(said, by.config.company.language))
  }

  #callBack({ tenant, endpoint }: Dialling): CallbackSaid {
    const { callbacks } = this.#needs
    const failed = callbacks.failedOf(tenant, endpoint.number)
    const asked = failed === null ? null : callbacks.request(tenant, endpoint.number, failed)
    return asked === null ? { kind: 'nobody' } : { kind: 'requested', to: asked.to }
  }

  /** Answers, says so, and hangs up. */
  #tell(
    incoming: IncomingInvite,
    by: Dialling,
    said: Promise<readonly PlayItem[]>,
    outcome: Outcome = { kind: 'completed', by: 'us' },
  ): void {
    this.#answer(incoming, by, (call, leg) => {
      leg.onEnded.on((end) => call.end(end))
      const done = (): void => leg.hangUp(outcome)
      said.then((items) => say(leg, items, done), done)
    })
  }

  /** Nothing comes of it: says why before anything is answered (183), then refuses with the same words. */
  #refuse(incoming: IncomingInvite, by: Dialling, trouble: FeatureTrouble): void {
    const outcome = troubles[trouble]
    const found = this.#open(incoming, by)
    if (found === null) return
    const { call, opened } = found
    const { leg } = opened
    call.tell({ kind: 'call.refused', reason: outcome.detail, rule: trouble, sip: outcome.sip })
    leg.onEnded.on((end) => call.end(end))
    const done = (): void => leg.hangUp(outcome)
    const speak = (items: readonly PlayItem[]): void => {
      if (leg.state === 'ended') return
      if (opened.early()) say(leg, items, done)
      else done()
    }
    this.#needs.troubleVoice.say(trouble, by.config.company.language).then(speak, done)
  }

  /** A call that the phone has with us alone; `then`, once it is answered. */
  #answer(incoming: IncomingInvite, by: Dialling, then: (call: Call, leg: Leg) => void): void {
    const found = this.#open(incoming, by)
    if (found === null) return
    const { call, opened } = found
    const { leg } = opened
    const gone = leg.onEnded.on((outcome) => call.end(outcome))
    opened.answer(() => {
      gone[Symbol.dispose]()
      then(call, leg)
    })
  }

  #open(incoming: IncomingInvite, by: Dialling): { call: Call; opened: InboundLeg } | null {
    const { calls, live } = this.#needs
    const { tenant, config, endpoint, device } = by
    const { number, name } = endpoint
    const from = { number, ...(name !== undefined && { name }) }
    const call = new Call(calls, { tenant, call: calls.random.hex(10), config: by.version, from, asker: endpoint })
    live.add(call)
    call.tell({ kind: 'call.started', direction: 'internal', from, to: { number: by.dialled }, config: by.version })
    call.limit(sayingMs, { kind: 'too-long', by: 'us', detail: 'nothing could be said in time' })
    const opened = openInbound(call, incoming, endpoint, { encryption: encryptionOf(config, device), codecs: device.codecs })
    return opened === null ? null : { call, opened }
  }

  #fetch(incoming: IncomingInvite, slot: string, by: Dialling): void {
    const park = this.#needs.parking.at(by.tenant, slot)
    if (park === null) {
      this.#refuse(incoming, by, 'nobody-waits')
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
      this.#refuse(incoming, by, 'nothing-rings')
      return
    }
    const { call } = rings
    takePlace(incoming, rings, takerOf(by, call.identity.from), (leg) => call.tell({ kind: 'call.picked-up', leg: rings.id, by: leg.id }))
  }

  #flip(incoming: IncomingInvite, leg: Leg | null, by: Dialling): void {
    const talk = leg === null ? null : talkOf(leg)
    if (talk === null) {
      this.#refuse(incoming, by, 'no-other-call')
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
