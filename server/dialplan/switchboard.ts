import { shifted } from '#base/clock.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import { Call, type CallFact } from '#calls/call.ts'
import { openInbound, tellRefused } from '#calls/inbound-leg.ts'
import type { CallIdentity, CallNeeds } from '#calls/needs.ts'
import { refusalOf } from '#calls/outcome.ts'
import type { Identified, Identity, IncomingInvite, SipPolicy, Flow } from '#sip/agent.ts'
import { isReplaced } from '#sip/dialog/replaces.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import type { CompiledDevice, CompiledTrunk } from '#server/config/compiled.ts'
import { mayDo, mayReach } from '#server/desks/may-reach.ts'
import { featureOf } from '#server/config/features.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import { replaceLeg, replacesOf, type Taker } from '#server/calls/replacing.ts'
import { rehearsalHeader, type Rehearsals } from '#server/calls/rehearsals.ts'
import { callerOnTrunk, clean, dialledOnTrunk, divertedOnTrunk, userOfUri, wishesOfPhone } from '#server/dialplan/arrival.ts'
import type { Book, Books } from '#server/dialplan/books.ts'
import type { CallRate } from '#server/dialplan/call-rate.ts'
import type { Conduct } from '#server/dialplan/conduct.ts'
import { decideFromTrunk, decideInside, type Route } from '#server/dialplan/decide.ts'
import type { Features } from '#server/features/features.ts'
import { phoneOfGruu, routeOfGruu } from '#server/dialplan/gruu.ts'
import { encryptionOf } from '#server/dialplan/encryption-of.ts'
import type { Identifier } from '#server/dialplan/identify.ts'
import { type DeviceWho, isWho, type TrunkWho } from '#server/dialplan/who.ts'
import type { CallerIdentity, Checked } from '#server/stir/caller-identity.ts'
import type { TrunkLink } from '#server/trunks/trunk-link.ts'
import type { TrunkBoard } from '#server/trunks/trunk-board.ts'

export interface SwitchboardNeeds {
  calls: CallNeeds
  books: Books
  identifier: Identifier
  trunks: TrunkBoard
  identity: Pick<CallerIdentity, 'check'>
  live: LiveCalls
  rehearsals: Rehearsals
  conduct: Conduct
  features: Pick<Features, 'dialled' | 'loggedOut'>
  gruus: Pick<Gruus, 'find'>
  /** New calls above this many are refused; emergency calls never. */
  callLimit: number
  /** New calls a second; those to emergency numbers are always taken. */
  rate: Pick<CallRate, 'takes' | 'count'>
}

/** Where calls come in: who calls, whom they dialled, which company that is, and what becomes of it. */
export class Switchboard implements SipPolicy {
  #needs: SwitchboardNeeds

  constructor(needs: SwitchboardNeeds) {
    this.#needs = needs
  }

  identify(request: SipRequest, source: Flow): Identified {
    return this.#needs.identifier.identify(request, source)
  }

  onInvite(incoming: IncomingInvite, who: Identity): void {
    if (!isWho(who)) incoming.reject(403)
    else if (who.kind === 'device') this.#fromDevice(incoming, who)
    else this.#fromTrunk(incoming, who)
  }

  #fromDevice(incoming: IncomingInvite, who: DeviceWho): void {
    const book = this.#needs.books.current(who.tenant)
    const device = book?.config.devices.get(who.device)
    const byGruu = book === null ? null : phoneOfGruu(this.#needs.gruus, book.config, incoming.request.uri)
    const only = byGruu === 'nobody' ? null : byGruu
    const dialled = only === null ? userOfUri(incoming.request.uri) : numberOf(only.device)
    if (book === null || device === undefined || dialled === undefined) {
      incoming.reject(dialled === undefined ? 484 : 403)
      return
    }
    const number = numberOf(device)
    const endpoint = endpointOf(device)
    if (this.#replaces(incoming, book, { endpoint, encryption: encryptionOf(book.config, device), codecs: device.codecs })) return
    const route = byGruu === null ? decideInside(book.config, dialled) : routeOfGruu(byGruu)
    if (this.#isNoCall(incoming, { book, device, dialled, byGruu, route })) return
    const inside = route.kind === 'target' || route.kind === 'refused'
    this.#begin({
      incoming,
      book,
      route,
      dialled,
      endpoint,
      party: device,
      direction: inside ? 'internal' : 'outbound',
      from: { number, name: device.name },
      more: {
        ...wishesOfPhone(incoming.request, device, book.config.company.country),
        ...(only !== null && { only: { device: only.device.id, instance: only.instance } }),
      },
    })
  }

  /** True when the INVITE wanted to take the place of another leg, and has its answer. */
  #replaces(incoming: IncomingInvite, { tenant }: Book, taker: Taker): boolean {
    const replaces = replacesOf(incoming)
    if (replaces === 'bad') incoming.reject(400, 'The Replaces names no dialog')
    else if (replaces !== null)
      replaceLeg(incoming, replaces, { ...taker, find: (named) => this.#needs.live.legOf(tenant, (dialog) => isReplaced(named, dialog)) })
    return replaces !== null
  }

  /** True when nobody is to be called: a code was dialled, or nobody is logged in at a phone that may not call there. The INVITE has its answer. */
  #isNoCall(incoming: IncomingInvite, by: { book: Book; device: CompiledDevice; dialled: string; byGruu: unknown; route: Route }): boolean {
    const { book, device, dialled, byGruu, route } = by
    const { tenant, config, version } = book
    const feature = byGruu === null ? featureOf(config.settled.features, dialled) : null
    const dialling = { tenant, config, version, dialled, device, endpoint: endpointOf(device) }
    if (feature !== null && mayDo(config, device, feature)) this.#needs.features.dialled(incoming, feature, dialling)
    else if (feature === null && mayReach(config, device, route)) return false
    else this.#needs.features.loggedOut(incoming, dialling)
    return true
  }

  #fromTrunk(incoming: IncomingInvite, who: TrunkWho): void {
    if (replacesOf(incoming) !== null) {
      // No carrier is ever told of a dialog that is not its own.
      incoming.reject(481)
      return
    }
    let refused: { book: Book; route: Route; trunk: string; dialled: string } | null = null
    for (const { tenant, trunk } of who.candidates) {
      const book = this.#needs.books.current(tenant)
      const compiled = book?.config.trunks.get(trunk)
      if (book === null || compiled === undefined) continue
      const candidates = dialledOnTrunk(incoming.request, compiled)
      const dialled = candidates[0] ?? ''
      const route = decideFromTrunk(book.config, trunk, candidates)
      if (route.kind === 'refused') {
        refused ??= { book, route, trunk, dialled }
        continue
      }
      this.#beginFromTrunk(incoming, { book, route, trunk, dialled })
      return
    }
    if (refused === null) incoming.reject(404)
    else this.#beginFromTrunk(incoming, refused)
  }

  #beginFromTrunk(incoming: IncomingInvite, at: { book: Book; route: Route; trunk: string; dialled: string }): void {
    const { book, route, trunk } = at
    const compiled = book.config.trunks.get(trunk)
    const link = this.#needs.trunks.link(book.tenant, trunk)
    if (compiled === undefined || link === null) {
      incoming.reject(403)
      return
    }
    this.#needs.identity.check(incoming, compiled, book.config.company.country, (checked) =>
      this.#checkedFromTrunk(incoming, { ...at, route: checked.refused ?? route }, { compiled, link, checked }),
    )
  }

  #checkedFromTrunk(
    incoming: IncomingInvite,
    { book, route, trunk, dialled }: { book: Book; route: Route; trunk: string; dialled: string },
    { compiled, link, checked }: { compiled: CompiledTrunk; link: TrunkLink; checked: Checked },
  ): void {
    const from = callerOnTrunk(incoming.request, compiled, book.config.company.country)
    const endpoint: EndpointRef = { kind: 'trunk', id: trunk, number: from.number }
    if (from.name !== undefined) endpoint.name = from.name
    const full = link.blocked()?.why === 'full'
    const taken = full ? fullRoute(compiled.channels ?? 0) : route
    const called = route.kind === 'target' ? route.number?.number : undefined
    const call = this.#begin({
      incoming,
      book,
      route: taken,
      dialled: called ?? dialled,
      endpoint,
      party: compiled,
      direction: 'inbound',
      from,
      more: called === undefined ? {} : { called },
      diverted: divertedOnTrunk(incoming.request, compiled, book.config.company.country),
      checked,
    })
    if (call !== null && !full && call.outcome === null) {
      const channel = link.take()
      // It is the line of this leg, which a transfer may take to another call.
      const used = call.legs[0]?.onEnded ?? call.ended
      used.on(() => channel[Symbol.dispose]())
    }
  }

  #begin(arrival: Arrival): Call | null {
    const { incoming, book, route, dialled, endpoint, direction, from } = arrival
    const { calls, live } = this.#needs
    if (live.size >= this.#needs.callLimit && route.kind !== 'emergency') {
      incoming.reject(503, 'All lines are in use', [['Retry-After', String(5 + calls.random.below(6))]])
      return null
    }
    if (route.kind === 'emergency') this.#needs.rate.count()
    else if (!this.#needs.rate.takes(book.tenant)) {
      incoming.reject(503, 'Too many calls at once', [['Retry-After', String(2 + calls.random.below(9))]])
      return null
    }
    const pretended = this.#needs.rehearsals.redeem(book.tenant, incoming.request.headers.get(rehearsalHeader))
    const call = new Call(calls, identityOf(arrival, calls.random.hex(10)))
    live.add(call)
    const started: StartedFact = { kind: 'call.started', direction, from, to: { number: clean(dialled) }, config: book.version }
    if (arrival.diverted !== undefined && arrival.diverted.length > 0) started.diverted = arrival.diverted
    if (pretended !== null) started.rehearsedAt = pretended
    call.tell(started)
    arrival.checked?.tell(call)
    call.limit(book.config.settled.maxCallMinutes * 60_000, {
      kind: 'too-long',
      by: 'us',
      detail: `the longest call is ${book.config.settled.maxCallMinutes} minutes`,
    })
    if (route.kind === 'refused') {
      this.#refuse(call, incoming, route)
      return call
    }
    const caller = openInbound(call, incoming, endpoint, {
      encryption: encryptionOf(book.config, arrival.party),
      codecs: arrival.party.codecs,
    })
    if (caller === null) return call
    const clock = pretended === null ? calls.clock : shifted(calls.clock, pretended - calls.clock.wall())
    this.#needs.conduct.begin(call, caller, { route, config: book.config, dialled, direction, clock })
    return call
  }

  #refuse(call: Call, incoming: IncomingInvite, route: { outcome: Outcome; rule: string }): void {
    const { status, reason } = refusalOf(route.outcome)
    const sip = route.outcome.sip ?? status
    incoming.reject(sip, route.outcome.detail ?? reason, sip === 503 ? [['Retry-After', '10']] : [])
    tellRefused(call, incoming, { reason: route.outcome.detail ?? reason, rule: route.rule, sip })
    call.end(route.outcome)
  }
}

function endpointOf(device: CompiledDevice): EndpointRef {
  const { id, name, person } = device
  const endpoint: EndpointRef = { kind: 'device', id, number: numberOf(device), name }
  if (person !== null) endpoint.person = person.id
  return endpoint
}

type StartedFact = Extract<CallFact, { kind: 'call.started' }>

function identityOf({ incoming, book, from, endpoint, more }: Arrival, call: string): CallIdentity {
  const { maxForwards, maxBreadth } = incoming.request.headers
  const identity: { -readonly [K in keyof CallIdentity]: CallIdentity[K] } = {
    tenant: book.tenant,
    call,
    config: book.version,
    from,
    asker: endpoint,
    hops: maxForwards ?? 70,
  }
  // One by one: of most calls none of these is known, and to spread what is optional costs more than all the rest.
  if (maxBreadth !== undefined) identity.breadth = maxBreadth
  if (more.called !== undefined) identity.called = more.called
  if (more.withheld !== undefined) identity.withheld = more.withheld
  if (more.preferred !== undefined) identity.preferred = more.preferred
  if (more.only !== undefined) identity.only = more.only
  return identity
}

interface Arrival {
  incoming: IncomingInvite
  book: Book
  route: Route
  dialled: string
  endpoint: EndpointRef
  /** Their device or trunk. */
  party: CompiledDevice | CompiledTrunk
  direction: 'inbound' | 'outbound' | 'internal'
  from: { number: string; name?: string }
  /** What else the call keeps in mind of how it came. */
  more: Pick<CallIdentity, 'withheld' | 'preferred' | 'called' | 'only'>
  diverted?: ReturnType<typeof divertedOnTrunk>
  checked?: Checked
}

function fullRoute(channels: number): Route {
  return {
    kind: 'refused',
    rule: 'channel-limit',
    outcome: { kind: 'overloaded', by: 'us', sip: 503, detail: `all ${channels} channels of the trunk are in use` },
  }
}

/** What colleagues dial to reach a phone. */
function numberOf({ extensions, username }: CompiledDevice): string {
  return extensions[0]?.number ?? username
}
