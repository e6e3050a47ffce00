import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { tenantOf } from '#server/api/app.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { dialects } from '#server/trunks/dialects.ts'

const ContactView = Type.Object({
  uri: Type.String(),
  transport: Type.String(),
  from: Type.String(),
  userAgent: Type.Union([Type.String(), Type.Null()]),
  since: Type.Number(),
})
const DeviceView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  username: Type.String(),
  extensions: Type.Array(Type.String()),
  busy: Type.Boolean(),
  contacts: Type.Array(ContactView),
})
const TrunkView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: Type.String(),
  why: Type.String(),
  registered: Type.Union([Type.Boolean(), Type.Null()]),
  inUse: Type.Integer(),
  channels: Type.Union([Type.Integer(), Type.Null()]),
})

const DialectView = Type.Object({
  name: Type.String(),
  title: Type.String(),
  date: Type.String({ description: 'when it was last compared with what the family publishes' }),
  reason: Type.String(),
  settings: Type.Record(Type.String(), Type.Unknown()),
})

/** Phones and trunks as they are right now. */
export function linesApi(app: FastifyInstance, exchange: Exchange): void {
  app.get(
    '/v1/devices',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Phones and where they are registered', response: { 200: Type.Object({ devices: Type.Array(DeviceView) }) } },
    },
    (request) => {
      const tenant = tenantOf(request)
      const config = exchange.books.current(tenant)?.config
      return Promise.resolve({
        devices: [...(config?.devices.values() ?? [])].map((device) => ({
          id: device.id,
          name: device.name,
          username: device.username,
          extensions: device.extensions.map((e) => e.number),
          busy: exchange.live.isBusy(tenant, device.id),
          contacts: exchange.registrar.contactsOf(`${device.username}@${config?.settled.sipDomain ?? ''}`).map((binding) => ({
            uri: binding.contact,
            transport: binding.flow.transport,
            from: `${binding.flow.remote.address}:${binding.flow.remote.port}`,
            userAgent: binding.userAgent,
            since: binding.since,
          })),
        })),
      })
    },
  )

  app.get(
    '/v1/trunks/dialects',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'The dialects that a trunk may name, with their settings',
        response: { 200: Type.Object({ dialects: Type.Array(DialectView) }) },
      },
    },
    () => Promise.resolve({ dialects: dialects.map((dialect) => ({ ...dialect, settings: { ...dialect.settings } })) }),
  )

  app.get(
    '/v1/trunks',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Trunks: up or down, and how full', response: { 200: Type.Object({ trunks: Type.Array(TrunkView) }) } },
    },
    (request) => {
      const tenant = tenantOf(request)
      const config = exchange.books.current(tenant)?.config
      return Promise.resolve({
        trunks: [...(config?.trunks.values() ?? [])].map((trunk) => {
          const link = exchange.trunks.link(tenant, trunk.id)
          return {
            id: trunk.id,
            name: trunk.name,
            state: link?.state ?? 'disabled',
            why: link?.downWhy ?? '',
            registered: link?.registered ?? null,
            inUse: link?.inUse ?? 0,
            channels: trunk.channels,
          }
        }),
      })
    },
  )
}
