import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Call } from '#calls/call.ts'
import { Park } from '#calls/park.ts'
import type { Fact } from '#contract/facts.ts'
import type { Identity, IncomingSubscribe } from '#sip/agent.ts'
import { Notifier, type NotifierNeeds } from '#sip/events/notifier.ts'
import type { KeptSubscription } from '#sip/events/subscription.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { Journal } from '#server/journal/index.ts'
import { type LineDialog, LineDialogs } from '#server/presence/line-dialogs.ts'
import type { Mailboxes } from '#server/presence/message-summary.ts'
import { packagesOf, resourceOf } from '#server/presence/packages.ts'
import type { PresenceState } from '#server/presence/pidf.ts'
import { SlotLamps } from '#server/presence/slot-lamps.ts'
import { namesOf, phonesOf } from '#server/presence/watched.ts'

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
/** The states after a restart are told over so long. */
const retellMs = 2_000

/** What people see of each other's phones: lamps, presence, waiting messages. Reads facts and registrations, and never touches a call. */
export class Presence {
  readonly notifier: Notifier
  readonly #needs: PresenceNeeds
  readonly #lines: LineDialogs
  readonly #slots: SlotLamps

  constructor(needs: PresenceNeeds) {
    this.#needs = needs
    this.#lines = new LineDialogs((tenant, device) => this.#changed(tenant, device, ['dialog', 'presence']))
    this.#slots = new SlotLamps((tenant, slot) => {
      for (const event of ['dialog', 'presence']) this.notifier.changed(event, resourceOf(tenant, slot))
    })
    const { clock, random, journal, books, mailboxes } = needs
    this.notifier = new Notifier(
      { clock, random, adoptEvents: needs.adoptEvents, keep: (id, kept) => journal.keep(`${prefix}${id}`, kept) },
      packagesOf({
        ...{ clock, books, mailboxes, bindingsOf: needs.bindingsOf },
        dialogsOf: (tenant, name) => this.#dialogsOf(tenant, name),
        stateOf: (tenant, name) => this.stateOf(tenant, name),
      }),
    )
  }

  onSubscribe(incoming: IncomingSubscribe, who: Identity): void {
    this.notifier.receive(incoming, who)
  }

  /** Hears every fact, after the state that it tells of. */
  hear(fact: Fact): void {
    if (fact.call !== undefined) {
      this.#slots.hear(fact, (call, leg) => this.#lines.partyAt(call, leg))
      this.#lines.hear(fact)
    } else if (fact.kind === 'device.registered' || fact.kind === 'device.unregistered') {
      this.#changed(fact.tenant, fact.device, ['presence', 'reg'])
    } else if (fact.kind === 'config.changed') this.notifier.examine(fact.tenant)
  }

  /** Takes up what an earlier life of the server left: its subscriptions, and the calls that were taken over. */
  restore(calls: Iterable<Call>): number {
    for (const call of calls) {
      this.#lines.take(call)
      for (const part of call.parts)
        if (part instanceof Park) this.#slots.take(call.identity.tenant, part.terms.slot, part.party.id, part.party.endpoint)
    }
    const kept = [...this.#needs.journal.kept(prefix).values()].filter(isKeptSubscription)
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
    return phones.some(({ username }) => this.#needs.bindingsOf(`${username}@${domain}`).some(({ reachable }) => reachable))
      ? 'available'
      : 'offline'
  }

  close(): void {
    this.notifier.close()
  }

  #dialogsOf(tenant: string, name: string): readonly LineDialog[] {
    const config = this.#needs.books.current(tenant)?.config
    if (config?.settled.features.slots.has(name) === true) return this.#slots.of(tenant, name)
    return config === undefined ? [] : (phonesOf(config, name) ?? []).flatMap(({ id }) => this.#lines.of(tenant, id))
  }

  #changed(tenant: string, device: string, events: readonly string[]): void {
    const config = this.notifier.size === 0 ? undefined : this.#needs.books.current(tenant)?.config
    if (config === undefined) return
    for (const name of namesOf(config, device)) {
      for (const event of events) this.notifier.changed(event, resourceOf(tenant, name))
    }
  }
}

function isKeptSubscription(value: unknown): value is KeptSubscription {
  return typeof value === 'object' && value !== null && 'watch' in value && 'dialog' in value && 'expiresWall' in value && 'event' in value
}
