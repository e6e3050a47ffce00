import type { FastifyInstance } from 'fastify'
import websocket from '@fastify/websocket'
import type { Snapshot } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import { present } from '#server/calls/api.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import { liveRow } from '#server/calls/live-row.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { tenantOf } from '#server/api/app.ts'
import { Outbox } from '#server/realtime/outbox.ts'

export interface EventsNeeds {
  exchange: Exchange
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
    const listeners = this.#listeners.get(fact.tenant)
    if (listeners === undefined) return
    const text = JSON.stringify({ kind: 'fact', fact })
    for (const outbox of [...listeners]) outbox.send(text)
  }

  /** Facts told from now on come after the snapshot, none is missed and none comes twice. */
  join(tenant: string, outbox: Outbox): Disposable {
    outbox.send(JSON.stringify(this.snapshot(tenant)))
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

  snapshot(tenant: string): Snapshot {
    const { exchange, log } = this.#needs
    const book = exchange.books.current(tenant)
    const config = book?.config
    const domain = config?.settled.sipDomain ?? ''
    return {
      kind: 'snapshot',
      calls: [...exchange.live.of(tenant)].flatMap((call) => liveRow(log, call) ?? []).map(present),
      ended: log.ended(tenant, endedShown).map(present),
      extensions: [...(config?.extensions.values() ?? [])].map((extension) => {
        const devices = [...(config?.devices.values() ?? [])].filter((d) => d.extensions.some((e) => e.id === extension.id))
        const phones = devices.map(({ id, username }) => ({
          id,
          contacts: exchange.registrar.contactsOf(`${username}@${domain}`).map((binding) => binding.contact),
        }))
        return {
          number: extension.number,
          name: devices[0]?.name ?? extension.name ?? extension.number,
          registered: phones.some((phone) => phone.contacts.length > 0),
          busy: devices.some((d) => exchange.live.isBusy(tenant, d.id)),
          devices: phones,
        }
      }),
      trunks: [...(config?.trunks.values() ?? [])].map((trunk) => {
        const link = exchange.trunks.link(tenant, trunk.id)
        return { id: trunk.id, name: trunk.name, state: link?.state ?? 'disabled', inUse: link?.inUse ?? 0 }
      }),
      company: {
        id: tenant,
        name: config?.company.name ?? tenant,
        timezone: config?.company.timezone ?? 'UTC',
        number: config?.company.mainNumber === undefined ? null : (config.numbersById.get(config.company.mainNumber)?.number ?? null),
      },
    }
  }
}

/** The event stream over WebSocket: a snapshot, then facts in order. */
export async function eventsApi(app: FastifyInstance, stream: EventStream): Promise<void> {
  await app.register(websocket, { options: { maxPayload: 4096, handleProtocols: (offered) => (offered.has('centrala.v1') ? 'centrala.v1' : false) } })
  app.get('/v1/events', { websocket: true, config: { role: 'viewer' }, schema: { summary: 'WebSocket: a snapshot, then facts in order' } }, (socket, request) => {
    let joined: Disposable | null = null
    const leave = (): void => joined?.[Symbol.dispose]()
    joined = stream.join(tenantOf(request), new Outbox(socket, leave))
    socket.on('close', leave)
    socket.on('error', () => socket.terminate())
  })
}
