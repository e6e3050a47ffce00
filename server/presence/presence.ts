import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Call } from '#calls/call.ts'
import { Park } from '#calls/park.ts'
import type { Fact } from '#contract/facts.ts'
import type { Identity, IncomingRequest, IncomingSubscribe } from '#sip/agent.ts'
import { Notifier, type NotifierNeeds } from '#sip/events/notifier.ts'
import { type KeptPublication, Publications } from '#sip/events/publications.ts'
import type { KeptSubscription } from '#sip/events/subscription.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { Journal } from '#server/journal/index.ts'
import { type LineDialog, LineDialogs, type Remote } from '#server/presence/line-dialogs.ts'
import type { Mailboxes } from '#server/presence/message-summary.ts'
import { isDevice, packagesOf, resourceOf } from '#server/presence/packages.ts'
import type { PresenceState } from '#server/presence/pidf.ts'
import { readPidf, type SaidPresence } from '#server/presence/read-pidf.ts'
import { SlotLamps } from '#server/presence/slot-lamps.ts'
import { nameAsked, namesOf, phonesOf } from '#server/presence/watched.ts'

export interface PresenceNeeds {
  clock: Clock
  random: Random
  books: Books
  journal: Pick<Journal, 'keep' | 'kept'>
  mailboxes: Mailboxes
  /** Every contact of an address of record, also those that cannot be reached now. */
  bindingsOf: (aor: string) => readonly Binding[]
  adoptEvents: NotifierNeeds['adoptEvents']
}

const prefix = 'subscription/'
const publicationPrefix = 'publication/'
/** The states after a restart are told over so long. */
const retellMs = 2_000
const shownByLamps = ['dialog', 'presence'] as const

/** What people see of each other's phones: lamps, presence, waiting messages. Reads facts and registrations, and never touches a call. */
export class Presence {
  readonly notifier: Notifier
  readonly #needs: PresenceNeeds
  readonly #lines: LineDialogs
  readonly #slots: SlotLamps
  readonly #partyAt = (call: string, leg: string): Remote => this.#lines.partyAt(call, leg)
  /** What phones say of their people, each under `tenant/device`. */
  readonly #said: Publications<SaidPresence>

  constructor(needs: PresenceNeeds) {
    this.#needs = needs
    this.#lines = new LineDialogs((tenant, device) => this.#changed(tenant, device, shownByLamps))
    this.#slots = new SlotLamps((tenant, slot) => {
      for (const event of shownByLamps) this.notifier.changed(event, resourceOf(tenant, slot))
    })
    const { clock, random, journal, books, mailboxes } = needs
    this.notifier = new Notifier(
      { clock, random, adoptEvents: needs.adoptEvents, keep: (id, kept) => journal.keep(`${prefix}${id}`, kept) },
      packagesOf({
        ...{ clock, books, mailboxes, bindingsOf: needs.bindingsOf },
        dialogsOf: (tenant, name) => this.#dialogsOf(tenant, name),
        stateOf: (tenant, name) => this.stateOf(tenant, name),
        saidOf: (tenant, name) => this.saidOf(tenant, name),
      }),
    )
    this.#said = new Publications<SaidPresence>(
      {
        ...{ clock, random, keep: (id, kept) => journal.keep(`${publicationPrefix}${id}`, kept) },
        changed: (event, publisher) => {
          const { tenant, device } = publishedBy(publisher)
          this.#changed(tenant, device, [event])
        },
      },
      { event: 'presence', types: ['application/pidf+xml'], expires: { least: 60, usual: 3_600, most: 3_600 }, read: readPidf },
    )
  }

  onSubscribe(incoming: IncomingSubscribe, who: Identity): void {
    this.notifier.receive(incoming, who)
  }

  /** A PUBLISH (RFC 3903): a phone says of its own person what only they know. */
  onPublish(incoming: IncomingRequest, who: Identity): void {
    const { event } = incoming.request.headers
    const config = isDevice(who) ? this.#needs.books.current(who.tenant)?.config : undefined
    if (!isDevice(who) || config === undefined) return incoming.respond(403)
    const name = nameAsked(this.#needs.books, who, incoming.request.uri)?.name
    const phones = name === undefined ? null : phonesOf(config, name)
    if (phones === null) incoming.respond(404)
    else if (!phones.some(({ id }) => id === who.device)) incoming.respond(403)
    else if (event?.name === 'presence') this.#said.receive(incoming, resourceOf(who.tenant, who.device))
    else incoming.respond(489, undefined, [['Allow-Events', 'presence']])
  }

  /** Hears every fact, after the state that it tells of. */
  hear(fact: Fact): void {
    if (fact.call !== undefined) {
      this.#slots.hear(fact, this.#partyAt)
      this.#lines.hear(fact)
    } else if (fact.kind === 'device.registered' || fact.kind === 'device.unregistered') {
      this.#changed(fact.tenant, fact.device, ['presence', 'reg'])
    } else if (fact.kind === 'desk.logged-in' || fact.kind === 'desk.logged-out') {
      this.#seated(fact.tenant, fact.device, fact.extension)
    } else if (fact.kind === 'config.changed') {
      const config = this.#needs.books.current(fact.tenant)?.config
      this.#said.examine((publisher) => {
        const { tenant, device } = publishedBy(publisher)
        return tenant !== fact.tenant || config?.devices.has(device) === true
      })
      this.notifier.examine(fact.tenant)
    }
  }

  /** Takes up what an earlier life of the server left: its subscriptions, and the calls that were taken over. */
  restore(calls: Iterable<Call>): number {
    for (const call of calls) {
      this.#lines.take(call)
      for (const part of call.parts)
        if (part instanceof Park) this.#slots.take(call.identity.tenant, part.terms.slot, part.party.id, part.party.endpoint)
    }
    const kept = [...this.#needs.journal.kept(prefix).values()].filter(isKeptSubscription)
    this.#said.adopt([...this.#needs.journal.kept(publicationPrefix).values()].filter(isKeptPublication))
    this.notifier.adopt(kept)
    return this.notifier.size
  }

  /** Messages can be sent now: whoever watched before the restart is told how things stand. */
  begin(): void {
    this.notifier.retell(retellMs)
  }

  /** The mailbox of a name has changed. */
  mailboxChanged(tenant: string, name: string): void {
    this.notifier.changed('message-summary', resourceOf(tenant, name))
  }

  /** How it stands with the phones behind a name. */
  stateOf(tenant: string, name: string): PresenceState {
    const config = this.#needs.books.current(tenant)?.config
    const phones = config === undefined ? [] : (phonesOf(config, name) ?? [])
    const dialogs = this.#dialogsOf(tenant, name)
    if (dialogs.some(({ state, direction }) => state === 'confirmed' || direction === 'initiator')) return 'on-the-phone'
    if (dialogs.some(({ state }) => state === 'early')) return 'ringing'
    const domain = config?.settled.sipDomain ?? ''
    const isThere = (username: string): boolean => this.#needs.bindingsOf(`${username}@${domain}`).some(({ reachable }) => reachable)
    // A phone whose person says they are not there is shown so; it rings all the same.
    return phones.some(({ id, username }) => this.#said.of(resourceOf(tenant, id))?.open !== false && isThere(username))
      ? 'available'
      : 'offline'
  }

  /** What the people behind a name say of themselves: of the first of their phones that says anything. */
  saidOf(tenant: string, name: string): SaidPresence | null {
    const config = this.#needs.books.current(tenant)?.config
    const phones = config === undefined ? [] : (phonesOf(config, name) ?? [])
    const said = phones.flatMap(({ id }) => this.#said.of(resourceOf(tenant, id)) ?? [])
    return said.find(({ activity, note }) => activity !== null || note !== null) ?? null
  }

  close(): void {
    this.#said.close()
    this.notifier.close()
  }

  #dialogsOf(tenant: string, name: string): readonly LineDialog[] {
    const config = this.#needs.books.current(tenant)?.config
    if (config?.settled.features.slots.has(name) === true) return this.#slots.of(tenant, name)
    return config === undefined ? [] : (phonesOf(config, name) ?? []).flatMap(({ id }) => this.#lines.of(tenant, id))
  }

  /** A shared phone is another person's: the lamps on both, and its own. */
  #seated(tenant: string, device: string, extension: string): void {
    this.#changed(tenant, device, ['dialog', 'presence', 'message-summary'])
    for (const event of ['dialog', 'presence', 'message-summary']) this.notifier.changed(event, resourceOf(tenant, extension))
    // What the one before said there of themselves is nobody's word for the next.
    this.#said.examine((publisher) => publisher !== resourceOf(tenant, device))
    this.notifier.examine(tenant)
  }

  #changed(tenant: string, device: string, events: readonly string[]): void {
    const config = this.notifier.size === 0 ? undefined : this.#needs.books.current(tenant)?.config
    if (config === undefined) return
    for (const name of namesOf(config, device)) {
      for (const event of events) this.notifier.changed(event, resourceOf(tenant, name))
    }
  }
}

/** Of `resourceOf`. */
function publishedBy(publisher: string): { tenant: string; device: string } {
  const slash = publisher.indexOf('/')
  return { tenant: publisher.slice(0, slash), device: publisher.slice(slash + 1) }
}

function isKeptPublication(value: unknown): value is KeptPublication {
  return typeof value === 'object' && value !== null && 'etag' in value && 'publisher' in value && 'expiresWall' in value && 'text' in value
}

function isKeptSubscription(value: unknown): value is KeptSubscription {
  return typeof value === 'object' && value !== null && 'watch' in value && 'dialog' in value && 'expiresWall' in value && 'event' in value
}
