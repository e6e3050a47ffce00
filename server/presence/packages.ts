import type { Clock } from '#base/clock.ts'
import type { Identity } from '#sip/agent.ts'
import type { EventPackage, EventView, Watch, WatchRefusal } from '#sip/events/event-package.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import type { Books } from '#server/dialplan/books.ts'
import { type DeviceWho, isWho } from '#server/dialplan/who.ts'
import { DialogInfoView } from '#server/presence/dialog-info.ts'
import type { LineDialog } from '#server/presence/line-dialogs.ts'
import { type Mailboxes, MessageSummaryView } from '#server/presence/message-summary.ts'
import { PidfView, type PresenceState } from '#server/presence/pidf.ts'
import type { SaidPresence } from '#server/presence/read-pidf.ts'
import { RegInfoView } from '#server/presence/reg-info.ts'
import { nameAsked, nobodyThere, phonesOf } from '#server/presence/watched.ts'

/** What the packages read the state from. */
export interface PackageNeeds {
  readonly clock: Clock
  readonly books: Books
  readonly mailboxes: Mailboxes
  bindingsOf(aor: string): readonly Binding[]
  dialogsOf(tenant: string, name: string): readonly LineDialog[]
  stateOf(tenant: string, name: string): PresenceState
  saidOf(tenant: string, name: string): SaidPresence | null
}

/** A resource among all of one package: a name of one company. */
export function resourceOf(tenant: string, name: string): string {
  return `${tenant}/${name}`
}

/** The event packages that phones may subscribe to. */
export function packagesOf(needs: PackageNeeds): readonly EventPackage[] {
  const lives = { least: 60, usual: 3_600, most: 3_600 }
  const partsOf = ({ group, resource, watcher }: Watch) => ({
    tenant: group,
    name: resource.slice(group.length + 1),
    device: watcher.slice(group.length + 1),
  })
  const configOf = (tenant: string): CompiledConfig | undefined => needs.books.current(tenant)?.config
  return [
    {
      // A lamp that lags by more than a second is out of step with what people hear.
      ...{ name: 'dialog', types: ['application/dialog-info+xml'], expires: lives, pauseMs: 500 },
      ...anybodyInside(needs.books),
      view(watch): EventView {
        const { tenant, name, device } = partsOf(watch)
        return new DialogInfoView({
          entity: watch.entity,
          domain: () => configOf(tenant)?.settled.sipDomain ?? 'invalid',
          dialogs: () => needs.dialogsOf(tenant, name),
          showsRemote: () => maySeeRemote(configOf(tenant), name, device),
        })
      },
    },
    {
      ...{ name: 'presence', types: ['application/pidf+xml'], expires: lives, pauseMs: 1_000 },
      ...anybodyInside(needs.books),
      view(watch): EventView {
        const { tenant, name } = partsOf(watch)
        return new PidfView(
          watch.entity,
          () => needs.stateOf(tenant, name),
          () => needs.saidOf(tenant, name),
        )
      },
    },
    {
      ...{ name: 'message-summary', types: ['application/simple-message-summary'], expires: { ...lives, most: 86_400 }, pauseMs: 1_000 },
      ...onlyItself(needs.books),
      view(watch): EventView {
        const { tenant, name } = partsOf(watch)
        return new MessageSummaryView(watch.entity, () => needs.mailboxes.count(tenant, mailboxOf(configOf(tenant), name)))
      },
    },
    {
      ...{ name: 'reg', types: ['application/reginfo+xml'], expires: lives, pauseMs: 1_000 },
      ...onlyItself(needs.books, (config, device) => config.devices.get(device)?.username ?? null),
      view(watch): EventView {
        const { tenant, name } = partsOf(watch)
        const aor = `${name}@${configOf(tenant)?.settled.sipDomain ?? 'invalid'}`
        return new RegInfoView(needs.clock, aor, () => needs.bindingsOf(aor))
      },
    },
  ]
}

/** Whoever answers for a line sees who calls it; others only where the company wants its people to. */
function maySeeRemote(config: CompiledConfig | undefined, name: string, device: string): boolean {
  if (config === undefined) return false
  return config.company.lampsShowCallers === true || (phonesOf(config, name) ?? []).some(({ id }) => id === device)
}

/** The mailbox behind a name: that of an extension; of a phone by its user name, that of whoever has it. */
function mailboxOf(config: CompiledConfig | undefined, name: string): string {
  const device = config === undefined || config.extensions.has(name) ? undefined : config.devicesByUsername.get(name)
  return device?.person == null ? name : (device.extensions[0]?.number ?? name)
}

type Rules = Pick<EventPackage, 'admit' | 'examine'>

/** A name with phones, or a parking slot. */
function isWatched(config: CompiledConfig, name: string): boolean {
  return phonesOf(config, name) !== null || config.settled.features.slots.has(name)
}

/** Every phone of a company may watch every name of it. */
function anybodyInside(books: Books): Rules {
  return {
    admit: (request, who) => admitted(books, request, who, (config, _device, name) => (isWatched(config, name) ? name : null)),
    examine: ({ group, watcher, resource }) => {
      const config = books.current(group)?.config
      if (config?.devices.has(watcher.slice(group.length + 1)) !== true) return 'rejected'
      return isWatched(config, resource.slice(group.length + 1)) ? 'active' : 'noresource'
    },
  }
}

/** A phone may watch what is its own, under any of its names; `canonical`: the one name that state is kept under. */
function onlyItself(books: Books, canonical?: (config: CompiledConfig, device: string) => string | null): Rules {
  const isOwn = (config: CompiledConfig, device: string, name: string): boolean =>
    phonesOf(config, name)?.some(({ id }) => id === device) === true
  return {
    admit: (request, who) =>
      admitted(books, request, who, (config, device, name) => {
        if (!isOwn(config, device, name)) return null
        return canonical === undefined ? name : canonical(config, device)
      }),
    examine: ({ group, watcher, resource }) => {
      const config = books.current(group)?.config
      const device = watcher.slice(group.length + 1)
      if (config?.devices.has(device) !== true) return 'rejected'
      return isOwn(config, device, resource.slice(group.length + 1)) ? 'active' : 'noresource'
    },
  }
}

function admitted(
  books: Books,
  request: SipRequest,
  who: Identity,
  resolve: (config: CompiledConfig, device: string, name: string) => string | null,
): Watch | WatchRefusal {
  if (!isDevice(who)) return { status: 403 }
  const asked = nameAsked(books, who, request.uri)
  const config = books.current(who.tenant)?.config
  const name = asked === null || config === undefined ? null : resolve(config, who.device, asked.name)
  if (asked === null || name === null) return nobodyThere
  return {
    group: who.tenant,
    watcher: resourceOf(who.tenant, who.device),
    resource: resourceOf(who.tenant, name),
    entity: asked.entity,
  }
}

/** Who a request is from, when a phone sends it. */
export function isDevice(who: Identity): who is DeviceWho {
  return isWho(who) && who.kind === 'device'
}
