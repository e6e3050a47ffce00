import type { CallIdentity, Destination, Directory, Diverted, Lease, Located, RingManner, RingPlan, RingTarget } from '#calls/needs.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import { alertInfo } from '#sip/identity/alert-info.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import { byDevice } from '#sip/registrar/reach.ts'
import type { SendTo } from '#sip/agent.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { mayReach } from '#server/desks/may-reach.ts'
import { decideInside } from '#server/dialplan/decide.ts'
import { encryptionOf } from '#server/dialplan/encryption-of.ts'
import { emergencyPlan, outsidePlan, planOf } from '#server/dialplan/plan.ts'
import { readDialled, writeFor, type Dialled } from '#server/numbering/numbering.ts'
import type { OutboundGuard, RunningCost } from '#server/outbound/guard.ts'
import { ratePerMinute, trunksFor } from '#server/outbound/permit.ts'
import type { Signing } from '#server/stir/caller-identity.ts'
import { type Claim, showCaller, showDiversion } from '#server/trunks/caller-id.ts'
import type { TrunkBoard } from '#server/trunks/trunk-board.ts'
import type { TrunkLink } from '#server/trunks/trunk-link.ts'

export interface DirectoryNeeds {
  /** The version a call keeps to its end. */
  book: (tenant: string, version: number) => CompiledConfig
  contactsOf: (aor: string) => readonly Binding[]
  isBusy: (tenant: string, device: string) => boolean
  trunks: TrunkBoard
  guard: OutboundGuard
  /** Headers that prove who calls, for companies that sign. */
  sign: (tenant: string, call: Signing) => readonly (readonly [string, string])[]
}

/** A carrier that says nothing at all for so long is passed over: the next one is asked within two seconds. */
const trunkSilenceMs = 1_500
/** So long the first flow of a phone with several may say nothing (RFC 5626 §7). */
const flowSilenceMs = 2_000

/** Finds phones and trunks for what a call wants to ring. */
export class CompanyDirectory implements Directory {
  #needs: DirectoryNeeds

  constructor(needs: DirectoryNeeds) {
    this.#needs = needs
  }

  locate(target: RingTarget, on: CallIdentity, how: RingManner = {}): Located {
    const book = this.#needs.book(on.tenant, on.config)
    switch (target.kind) {
      case 'device':
        return this.#phone(book, target, on, how)
      case 'external':
        return this.#outside(book, target, on, how.diverted)
    }
  }

  resolve(number: string, on: CallIdentity): { plan: RingPlan } | { refused: Outcome } {
    const book = this.#needs.book(on.tenant, on.config)
    const route = decideInside(book, number)
    const asking = on.asker.kind === 'device' ? book.devices.get(on.asker.id) : undefined
    if (asking !== undefined && !mayReach(book, asking, route))
      return { refused: barred('nobody is logged in at the phone that asks for it') }
    switch (route.kind) {
      case 'refused':
        return { refused: route.outcome }
      case 'emergency':
        return { plan: emergencyPlan(route.number) }
      case 'outside': {
        // Whoever sends a call on may not reach more by it than by calling.
        const device = on.asker.kind === 'device' ? on.asker.id : null
        if (on.asker.kind === 'trunk' && book.trunks.get(on.asker.id)?.redirects !== true)
          return { refused: barred('whoever calls from outside may not send the call out again') }
        const against = this.#needs.guard.check(book, { tenant: on.tenant, device }, route.number)
        return against === null ? { plan: outsidePlan(route.number) } : { refused: barred(against.detail) }
      }
      case 'target': {
        const plan = planOf(book, route)
        return plan === null ? { refused: { kind: 'wrong-number', by: 'caller', detail: `${number} is not a phone` } } : { plan }
      }
    }
  }

  forward(number: string, by: EndpointRef, on: CallIdentity): { plan: RingPlan } | { refused: Outcome } {
    const book = this.#needs.book(on.tenant, on.config)
    const may = by.kind === 'device' ? book.devices.get(by.id)?.forwards : book.trunks.get(by.id)?.redirects
    // Nothing was wrong with the number that the caller dialled: there is nobody at it.
    if (may !== true) return { refused: unreachable(`the ${by.kind} may not send calls on`) }
    if (decideInside(book, number).kind === 'emergency') return { refused: unreachable('nobody is forwarded to an emergency number') }
    return this.resolve(number, on)
  }

  #phone(book: CompiledConfig, target: Extract<RingTarget, { kind: 'device' }>, on: CallIdentity, how: RingManner): Located {
    const device = book.devices.get(target.id)
    if (device === undefined) return { refused: { kind: 'unreachable', by: 'nobody', detail: `there is no phone ${target.id}` } }
    if (target.skipBusy === true && this.#needs.isBusy(on.tenant, device.id)) {
      return { refused: { kind: 'busy', by: 'callee', detail: `${target.label} is on a call` } }
    }
    const domain = book.settled.sipDomain
    const wanted = on.only?.device === device.id ? on.only.instance : null
    const registered = this.#needs.contactsOf(`${device.username}@${domain}`)
    const contacts = wanted === null ? registered : registered.filter(({ instance }) => instance === wanted)
    if (contacts.length === 0)
      return { refused: { kind: 'unreachable', by: 'nobody', detail: `no phone is registered for ${target.label}` } }
    const { name, person } = device
    const alert = alertOf(book, on, how.ringTone)
    const from = callerAddress(prefixed(on.from, how.namePrefix), domain)
    const to = `<sip:${device.username}@${domain}>`
    const encryption = encryptionOf(book, device)
    const asked = ({ contact, flow, path }: Binding, isLast: boolean): Destination => {
      const endpoint: EndpointRef = { kind: 'device', id: device.id, number: target.label, name }
      if (person !== null) endpoint.person = person.id
      const destination: Destination = { endpoint, uri: contact, from, to, via: flow, codecs: device.codecs, encryption }
      if (path.length > 0) destination.route = path
      if (alert !== null) destination.headers = [['Alert-Info', alert]]
      // A flow that has died says nothing; the next one of the same phone is tried.
      if (!isLast) destination.silenceMs = flowSilenceMs
      return destination
    }
    return { branches: byDevice(contacts).map((flows) => flows.map((binding, i) => asked(binding, i === flows.length - 1))) }
  }

  #outside(
    book: CompiledConfig,
    target: Extract<RingTarget, { kind: 'external' }>,
    on: CallIdentity,
    reason: Diverted['reason'] = 'unconditional',
  ): Located {
    const number = readDialled(target.number, book.company.country)
    const emergency = target.emergency === true
    const device = on.asker.kind === 'device' ? on.asker.id : null
    if (!emergency) {
      const against = this.#needs.guard.check(book, { tenant: on.tenant, device }, number)
      if (against !== null) return { refused: { kind: 'barred', by: 'us', detail: against.detail } }
    }
    const trunks = emergency ? (book.emergency?.trunks ?? []) : book.outbound === null ? [] : trunksFor(book.outbound, number)
    const want: Outside = { number, target, on, device, emergency, reason }
    const destinations: Destination[] = []
    for (const id of trunks) {
      const link = this.#needs.trunks.link(on.tenant, id)
      if (link === null) continue
      for (const via of link.ways) destinations.push(this.#through(book, link, via, want))
    }
    if (destinations.length === 0) return { refused: { kind: 'unreachable', by: 'carrier', detail: `no trunk takes ${target.number}` } }
    return { branches: [destinations] }
  }

  #through(book: CompiledConfig, link: TrunkLink, via: SendTo, want: Outside): Destination {
    const { trunk } = link
    const written = writeFor(trunk.numberFormat.out, want.number, book.company.country)
    const claim = claimOf(want)
    const writing = { config: book, trunk, domain: link.domain }
    const shown = showCaller(writing, claim)
    const diversion = showDiversion(writing, written, claim.forwarded)
    const called = `sip:${written}@${link.domain}${trunk.userPhone && !want.emergency ? ';user=phone' : ''}`
    const user = trunk.authUser ?? trunk.username
    const { headers } = shown
    for (const header of diversion) headers.push(header)
    for (const header of this.#signature(book, link, shown.number, want)) headers.push(header)
    const destination: Destination = {
      endpoint: { kind: 'trunk', id: trunk.id, number: want.target.number, name: trunk.name },
      uri: called,
      from: shown.from,
      to: `<${called}>`,
      via,
      headers,
      silenceMs: trunkSilenceMs,
      codecs: trunk.codecs,
      encryption: encryptionOf(book, trunk),
      lease: () => {
        const blocked = link.blocked(want.emergency)
        if (blocked !== null) return blocked.detail
        const metered = want.emergency ? null : this.#needs.guard.begin(book, { tenant: want.on.tenant, device: want.device })
        return new TrunkLease({ book, link, via, number: want.number, metered })
      },
    }
    if (link.route.length > 0) destination.route = link.route
    if (user !== null && link.password !== null) {
      const { password } = link
      destination.credentials = trunk.realms === null ? { user, password } : { user, password, realms: trunk.realms }
    }
    return destination
  }

  /**
   * A number of the company's own is vouched for in full. Whom somebody else's belongs to we cannot know; at most who sent us the call, where the
   * trunk says so (RFC 8588 §4).
   */
  #signature(book: CompiledConfig, link: TrunkLink, orig: string | null, want: Outside): readonly (readonly [string, string])[] {
    const dest = want.number.e164 ?? want.number.digits
    if (orig === null || !link.trunk.sign || book.settled.signing === null) return []
    const { call, called, tenant, asker } = want.on
    const from = asker.kind === 'trunk' ? book.trunks.get(asker.id) : undefined
    const attest = book.numbers.has(orig) ? 'A' : (from?.attestation ?? 'C')
    return this.#needs.sign(tenant, { orig, dest, attest, ...(called !== undefined && { sentOn: { call, by: called } }) })
  }
}

function unreachable(detail: string): Outcome {
  return { kind: 'unreachable', by: 'nobody', detail }
}

function barred(detail: string): Outcome {
  return { kind: 'barred', by: 'us', sip: 403, detail }
}

interface Outside {
  number: Dialled
  target: Extract<RingTarget, { kind: 'external' }>
  on: CallIdentity
  device: string | null
  emergency: boolean
  reason: Diverted['reason']
}

function claimOf(want: Outside): Claim {
  const { withheld, preferred, called } = want.on
  const claim: Claim = { device: want.device, from: want.on.from, emergency: want.emergency }
  if (withheld === true) claim.withheld = withheld
  if (preferred !== undefined) claim.preferred = preferred
  if (called !== undefined) claim.forwarded = { by: called, reason: want.reason }
  if (want.target.show !== undefined) claim.show = want.target.show
  else if (want.device === null) claim.show = 'company'
  return claim
}

/** The ring a phone is asked for: that of the door the caller came through, else by where they come from, when the company tells these apart. */
function alertOf(book: CompiledConfig, on: CallIdentity, ringTone: string | undefined): string | null {
  if (ringTone !== undefined) return alertInfo(ringTone)
  if (book.company.distinctiveRing !== true) return null
  return alertInfo(on.asker.kind === 'trunk' ? 'external' : 'internal')
}

/** The caller as the phones of a group show them. */
function prefixed(from: { number: string; name?: string }, prefix: string | undefined): { number: string; name?: string } {
  return prefix === undefined ? from : { number: from.number, name: `${prefix} ${from.name ?? from.number}` }
}

/** Name-addr of who calls, safely quoted (RFC 3261 §25.1). */
export function callerAddress(from: { number: string; name?: string }, domain: string): string {
  const user = /^[+0-9A-Za-z*#._-]{1,64}$/.test(from.number) ? from.number : 'anonymous'
  const display = from.name === undefined ? '' : `"${from.name.replace(/[\x00-\x1f\x7f]/g, ' ').replace(/["\\]/g, '\\$&')}" `
  return `${display}<sip:${user}@${user === 'anonymous' ? 'anonymous.invalid' : domain}>`
}

/** What a call holds on a trunk: a channel, and what it costs. */
interface Leased {
  readonly book: CompiledConfig
  readonly number: Dialled
  readonly link: TrunkLink
  readonly via: SendTo
  /** Null: an emergency call, which costs nothing. */
  readonly metered: RunningCost | null
}

class TrunkLease implements Lease {
  readonly #of: Leased
  readonly #channel: Disposable

  constructor(of: Leased) {
    this.#of = of
    this.#channel = of.link.take()
  }

  answered(end: (outcome: Outcome) => void, warn: () => void): void {
    const { book, number, metered } = this.#of
    const rate = book.outbound === null ? 0 : ratePerMinute(book.outbound, number)
    metered?.answered(rate, (detail) => end({ kind: 'barred', by: 'us', detail }), warn)
  }

  passedOver(why: string): void {
    this.#of.link.foundDead(this.#of.via, why)
  }

  /** Idempotent, as both are. */
  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]()
    this.#of.metered?.[Symbol.dispose]()
  }
}
