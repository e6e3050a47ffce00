import type { FastifyInstance } from 'fastify'
import websocket from '@fastify/websocket'
import type { Snapshot } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { Extension } from '#contract/documents/people.ts'
import { mayActAs } from '#server/access/face.ts'
import { present } from '#server/calls/api.ts'
import { presentConference } from '#server/conferences/api.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import type { CompiledConfig, CompiledTrunk } from '#server/config/compiled.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { tenantOf } from '#server/api/app.ts'
import { Outbox } from '#server/realtime/outbox.ts'

/** What a snapshot is taken of. */
type Seen = Pick<Exchange, 'books' | 'live' | 'registrar' | 'trunks'> & { readonly conferences: Pick<Exchange['conferences'], 'find'> }

export interface EventsNeeds {
  exchange: Seen
  log: CallLog
}

const endedShown = 50

/** Who listens, by company: each fact is written once, and goes to the listeners of its own company only. */
export class EventStream {
  #listeners = new Map<string, Set<Outbox>>()
  #needs: EventsNeeds

  constructor(needs: EventsNeeds) {
    this.#needs = needs
  }

  get size(): number {
    let size = 0
    for (const set of this.#listeners.values()) size += set.size
    return size
  }

  /** Hears every fact, after the state that it tells of. */
  hear(fact: Fact): void {
    const listeners = this.#listeners.size === 0 ? undefined : this.#listeners.get(fact.tenant)
    if (listeners === undefined) return
    const text = JSON.stringify({ kind: 'fact', fact })
    for (const outbox of [...listeners]) outbox.send(text)
    // A phone has gone over to another extension: the snapshot says which.
    if (fact.kind === 'desk.logged-in' || fact.kind === 'desk.logged-out') this.resync(fact.tenant)
  }

  /** Facts told from now on come after the snapshot, none is missed and none comes twice. */
  join(tenant: string, outbox: Outbox, may: Snapshot['may'] = 'watch'): Disposable {
    outbox.send(JSON.stringify(this.snapshot(tenant, may)))
    const there = this.#listeners.get(tenant)
    if (there === undefined) this.#listeners.set(tenant, new Set([outbox]))
    else there.add(outbox)
    return {
      [Symbol.dispose]: () => {
        const set = this.#listeners.get(tenant)
        set?.delete(outbox)
        if (set?.size === 0) this.#listeners.delete(tenant)
      },
    }
  }

  /** Something is known now that no fact will tell: the listeners of this company ask for a fresh snapshot. */
  resync(tenant: string): void {
    for (const outbox of [...(this.#listeners.get(tenant) ?? [])]) outbox.send('{"kind":"resync"}')
  }

  snapshot(tenant: string, may: Snapshot['may'] = 'watch'): Snapshot {
    const { exchange, log } = this.#needs
    const config = exchange.books.current(tenant)?.config
    return {
      kind: 'snapshot',
      calls: [...exchange.live.of(tenant)].flatMap((call) => log.row(tenant, call.id) ?? []).map(present),
      ended: log.ended(tenant, endedShown).map(present),
      extensions:
        config === undefined
          ? []
          : [...config.extensions.values()].map((extension) => extensionRow(exchange, { tenant, config, extension })),
      trunks: config === undefined ? [] : [...config.trunks.values()].map((trunk) => trunkRow(exchange, tenant, trunk)),
      conferences: [...(config?.conferences.values() ?? [])].map((each) =>
        presentConference(each, exchange.conferences.find(tenant, each.id)),
      ),
      may,
      company: companyRow(tenant, config),
    }
  }
}

type SnapshotExtension = Snapshot['extensions'][number]

function extensionRow(exchange: Seen, of: { tenant: string; config: CompiledConfig; extension: Extension }): SnapshotExtension {
  const { tenant, config, extension } = of
  const devices = [...config.devices.values()].filter((device) => device.extensions.some((each) => each.id === extension.id))
  const phones = devices.map(({ id, username }) => ({
    id,
    contacts: exchange.registrar.contactsOf(`${username}@${config.settled.sipDomain}`).map((binding) => binding.contact),
  }))
  return {
    number: extension.number,
    name: devices[0]?.name ?? extension.name ?? extension.number,
    registered: phones.some((phone) => phone.contacts.length > 0),
    busy: devices.some((device) => exchange.live.isBusy(tenant, device.id)),
    devices: phones,
  }
}

function trunkRow(exchange: Seen, tenant: string, trunk: CompiledTrunk): Snapshot['trunks'][number] {
  const link = exchange.trunks.link(tenant, trunk.id)
  return { id: trunk.id, name: trunk.name, state: link?.state ?? 'disabled', inUse: link?.inUse ?? 0 }
}

/** A company that has no configuration yet is shown by its id. */
function companyRow(tenant: string, config: CompiledConfig | undefined): Snapshot['company'] {
  if (config === undefined) return { id: tenant, name: tenant, timezone: 'UTC', number: null }
  const { name, timezone, mainNumber } = config.company
  return { id: tenant, name, timezone, number: mainNumber === undefined ? null : (config.numbersById.get(mainNumber)?.number ?? null) }
}

/** The event stream over WebSocket: a snapshot, then facts in order. */
export async function eventsApi(app: FastifyInstance, stream: EventStream): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: 4096, handleProtocols: (offered) => (offered.has('centrala.v1') ? 'centrala.v1' : false) },
  })
  app.get(
    '/v1/events',
    { websocket: true, config: { role: 'viewer' }, schema: { summary: 'WebSocket: a snapshot, then facts in order' } },
    (socket, request) => {
      let joined: Disposable | null = null
      const leave = (): void => joined?.[Symbol.dispose]()
      joined = stream.join(
        tenantOf(request),
        new Outbox(socket, leave),
        mayActAs(request.asker?.caller.role ?? 'viewer', 'supervisor') ? 'act' : 'watch',
      )
      socket.on('close', leave)
      socket.on('error', () => socket.terminate())
    },
  )
}
