import type { Clock } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { Binding, KeptBinding, RegistrarEvents, Unbound } from '#sip/registrar/binding.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import { keptText, keptTexts } from '#sip/registrar/kept-text.ts'

/** Limits of a registrar. */
export interface RegistrarSettings {
  /** Seconds; shorter wishes are refused with 423. Default 60. */
  minExpires?: number
  /** Seconds; longer wishes are shortened. Default 3600. */
  maxExpires?: number
  /** Seconds for a REGISTER that names no time. Default 3600. */
  defaultExpires?: number
  /** Contacts per address of record; past it the one refreshed longest ago gives way. Default 10. */
  maxContacts?: number
  /** Keeps up which GRUUs lead somewhere; absent: none are given out. */
  gruus?: Gruus
}

/** One contact of a REGISTER, its parameters read. */
export interface ContactWish {
  readonly uri: string
  readonly key: string
  readonly q: number
  /** Seconds, of the contact's own parameter or of the Expires header; null when neither stands. */
  readonly expires: number | null
  readonly instance: string | null
  readonly regId: number | null
  /** A flow of its instance (RFC 5626 §6): `key` is made of instance and reg-id. */
  readonly outbound: boolean
}

/** A REGISTER, authenticated, reduced to what the registrar decides on. Its texts may be parts of the message: what is kept is copied. */
export interface RegisterWish {
  readonly aor: string
  /** Empty: only tell the bindings. `all`: `Contact: *` with Expires 0. */
  readonly contacts: readonly ContactWish[] | 'all'
  readonly callId: string
  readonly cseq: number
  readonly flow: Flow
  readonly path: readonly string[]
  readonly userAgent: string | null
}

/** What became of a REGISTER. Anything but `done` changed nothing. */
export type RegisterOutcome =
  | { kind: 'done'; bindings: readonly Binding[] }
  /** 423 with Min-Expires. */
  | { kind: 'too-brief'; minExpires: number }
  /** 403: one request asks for more contacts than an address may have. */
  | { kind: 'too-many' }
  /** An older request than the one that made the binding (RFC 3261 §10.3 step 6 and 7): 500. */
  | { kind: 'out-of-order' }

interface Place {
  binding: Binding
  timer: Disposable
}

/**
 * Where every address of record can be reached (RFC 3261 §10.3): the location service, in memory. A REGISTER takes effect as a whole or
 * not at all. Costs grow with the contacts of one address, never with the number of addresses.
 */
export class Registrar {
  readonly #clock: Clock
  readonly #events: RegistrarEvents
  readonly #minExpires: number
  readonly #maxExpires: number
  readonly #defaultExpires: number
  readonly #maxContacts: number
  readonly #gruus: Gruus | null
  readonly #places = new Map<string, Place[]>()
  readonly #byConnection = new Map<number, Set<Place>>()
  #count = 0

  constructor(clock: Clock, events: RegistrarEvents, settings: RegistrarSettings = {}) {
    this.#clock = clock
    this.#events = events
    this.#minExpires = settings.minExpires ?? 60
    this.#maxExpires = Math.max(this.#minExpires, settings.maxExpires ?? 3600)
    this.#defaultExpires = Math.min(this.#maxExpires, settings.defaultExpires ?? 3600)
    this.#maxContacts = settings.maxContacts ?? 10
    this.#gruus = settings.gruus ?? null
  }

  /** Contacts bound, over all addresses. */
  get size(): number {
    return this.#count
  }

  register(wish: RegisterWish): RegisterOutcome {
    const places = this.#places.get(wish.aor) ?? []
    if (wish.contacts === 'all') return this.#wipe(wish, places)
    const refusal = this.#refusal(wish.contacts, wish, places)
    if (refusal !== null) return refusal
    for (const contact of wish.contacts) this.#apply(contact, wish)
    return { kind: 'done', bindings: this.bindingsOf(wish.aor) }
  }

  /** Contacts that can be called now, the preferred first (by q, then the one refreshed last). */
  contactsOf(aor: string): Binding[] {
    return this.bindingsOf(aor)
      .filter((b) => b.reachable)
      .sort((a, b) => b.q - a.q || b.expiresAt - a.expiresAt)
  }

  /** Every binding of an address, also those whose connection is awaited. */
  bindingsOf(aor: string): Binding[] {
    return (this.#places.get(aor) ?? []).map((place) => place.binding)
  }

  /** Every binding there is. */
  *all(): Iterable<Binding> {
    for (const places of this.#places.values()) for (const place of places) yield place.binding
  }

  /** A stream connection ended: what was registered over it cannot be reached. */
  connectionClosed(connection: number): void {
    for (const place of [...(this.#byConnection.get(connection) ?? [])]) this.#drop(place, 'connection-lost')
  }

  /** The owner takes every contact of an address away. */
  revoke(aor: string): void {
    for (const place of [...(this.#places.get(aor) ?? [])]) this.#drop(place, 'revoked')
  }

  /** Everything as plain data. */
  keep(): KeptBinding[] {
    return Array.from(this.all(), (binding) => this.kept(binding))
  }

  /** One binding as plain data. */
  kept(binding: Binding): KeptBinding {
    // Each by its name: what is spread from the rest of another is put together the slow way.
    return {
      aor: binding.aor,
      contact: binding.contact,
      contactKey: binding.contactKey,
      q: binding.q,
      callId: binding.callId,
      cseq: binding.cseq,
      instance: binding.instance,
      regId: binding.regId,
      ...(binding.outbound !== undefined && { outbound: binding.outbound }),
      path: binding.path,
      flow: binding.flow,
      userAgent: binding.userAgent,
      since: binding.since,
      expiresWall: this.#clock.wall() + (binding.expiresAt - this.#clock.now()),
    }
  }

  /** Goes on where an earlier process life stopped, silently. What has expired meanwhile is told as unbound. */
  adopt(kept: readonly KeptBinding[]): void {
    for (const { expiresWall, ...rest } of kept) {
      const left = Math.min(expiresWall - this.#clock.wall(), this.#maxExpires * 1000)
      const binding = { ...rest, expiresAt: this.#clock.now() + left, reachable: rest.flow.connection === null }
      if (left <= 0) this.#events.onUnbound?.(binding, 'expired')
      else if (this.#find(rest.aor, rest.contactKey) === undefined) this.#put(binding)
    }
  }

  /** Stops every timer; nothing is told. */
  close(): void {
    for (const places of this.#places.values()) for (const place of places) place.timer[Symbol.dispose]()
    this.#places.clear()
    this.#byConnection.clear()
    this.#count = 0
  }

  #wipe(wish: RegisterWish, places: readonly Place[]): RegisterOutcome {
    if (places.some((place) => isOutOfOrder(place.binding, wish))) return { kind: 'out-of-order' }
    for (const place of [...places]) this.#drop(place, 'unregistered')
    return { kind: 'done', bindings: [] }
  }

  #refusal(contacts: readonly ContactWish[], wish: RegisterWish, places: readonly Place[]): RegisterOutcome | null {
    if (contacts.filter((c) => c.expires !== 0).length > this.#maxContacts) return { kind: 'too-many' }
    for (const contact of contacts) {
      const seconds = contact.expires ?? this.#defaultExpires
      if (seconds > 0 && seconds < this.#minExpires) return { kind: 'too-brief', minExpires: this.#minExpires }
      const before = places.find((place) => place.binding.contactKey === contact.key)
      if (before !== undefined && isOutOfOrder(before.binding, wish)) return { kind: 'out-of-order' }
    }
    return null
  }

  #apply(contact: ContactWish, wish: RegisterWish): void {
    const seconds = Math.min(contact.expires ?? this.#defaultExpires, this.#maxExpires)
    const before = this.#find(wish.aor, contact.key)
    if (seconds === 0) {
      if (before !== undefined) this.#drop(before, 'unregistered')
      return
    }
    const last = before?.binding
    const binding: Binding = {
      aor: wish.aor,
      contact: keptText(contact.uri, last?.contact),
      contactKey: keptText(contact.key, last?.contactKey),
      q: contact.q,
      callId: keptText(wish.callId, last?.callId),
      cseq: wish.cseq,
      instance: keptText(contact.instance, last?.instance),
      regId: contact.regId,
      outbound: contact.outbound,
      path: keptTexts(wish.path, last?.path),
      flow: wish.flow,
      userAgent: keptText(wish.userAgent, last?.userAgent),
      expiresAt: this.#clock.now() + seconds * 1000,
      since: last?.since ?? this.#clock.wall(),
      reachable: true,
    }
    if (before === undefined) {
      this.#makeRoom(binding)
      this.#put(binding)
    } else {
      this.#replace(before, binding)
    }
    this.#events.onBound?.(binding, before !== undefined)
  }

  /**
   * A device that lost its address or its connection comes back under another contact: the same instance and reg-id replaces
   * (RFC 5626 §6). Past the cap, the contact refreshed longest ago is most likely a leftover.
   */
  #makeRoom(coming: Binding): void {
    const places = this.#places.get(coming.aor) ?? []
    const same = places.find(
      (p) =>
        coming.outbound !== true &&
        p.binding.outbound !== true &&
        coming.instance !== null &&
        p.binding.instance === coming.instance &&
        p.binding.regId === coming.regId,
    )
    if (same !== undefined && same.binding.callId !== coming.callId) this.#drop(same, 'displaced')
    if (places.length < this.#maxContacts) return
    const oldest = places.reduce((a, b) => (b.binding.expiresAt < a.binding.expiresAt ? b : a))
    this.#drop(oldest, 'displaced')
  }

  #find(aor: string, contactKey: string): Place | undefined {
    return this.#places.get(aor)?.find((place) => place.binding.contactKey === contactKey)
  }

  #put(binding: Binding): void {
    const place: Place = { binding, timer: this.#clock.after(binding.expiresAt - this.#clock.now(), () => this.#expire(place)) }
    const places = this.#places.get(binding.aor)
    if (places === undefined) this.#places.set(binding.aor, [place])
    else places.push(place)
    this.#gruus?.bound(binding)
    this.#count++
    this.#ride(place)
  }

  #replace(place: Place, binding: Binding): void {
    this.#leave(place)
    const earlier = binding.expiresAt < place.binding.expiresAt
    this.#gruus?.bound(binding)
    this.#gruus?.unbound(place.binding)
    place.binding = binding
    this.#ride(place)
    // A longer life needs no new timer: the running one looks again when it fires, so that a refresh costs nothing.
    if (earlier) this.#wait(place)
  }

  #wait(place: Place): void {
    place.timer[Symbol.dispose]()
    place.timer = this.#clock.after(place.binding.expiresAt - this.#clock.now(), () => this.#expire(place))
  }

  #expire(place: Place): void {
    if (place.binding.expiresAt > this.#clock.now()) this.#wait(place)
    else this.#drop(place, 'expired')
  }

  #drop(place: Place, why: Unbound): void {
    const { aor } = place.binding
    const places = this.#places.get(aor)
    const at = places?.indexOf(place) ?? -1
    if (places === undefined || at < 0) return
    places.splice(at, 1)
    if (places.length === 0) this.#places.delete(aor)
    this.#count--
    place.timer[Symbol.dispose]()
    this.#leave(place)
    this.#gruus?.unbound(place.binding)
    this.#events.onUnbound?.(place.binding, why)
  }

  #ride(place: Place): void {
    const { connection } = place.binding.flow
    if (connection === null || !place.binding.reachable) return
    const riders = this.#byConnection.get(connection)
    if (riders === undefined) this.#byConnection.set(connection, new Set([place]))
    else riders.add(place)
  }

  #leave(place: Place): void {
    const { connection } = place.binding.flow
    if (connection === null) return
    const riders = this.#byConnection.get(connection)
    riders?.delete(place)
    if (riders?.size === 0) this.#byConnection.delete(connection)
  }
}

function isOutOfOrder(binding: Binding, wish: { callId: string; cseq: number }): boolean {
  return binding.callId === wish.callId && wish.cseq <= binding.cseq
}
