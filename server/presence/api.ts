import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { tenantOf } from '#server/api/app.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { phonesOf } from '#server/presence/watched.ts'

const ExtensionPresence = Type.Object({
  number: Type.String(),
  name: Type.String(),
  state: Type.Union([Type.Literal('available'), Type.Literal('ringing'), Type.Literal('on-the-phone'), Type.Literal('offline')]),
  activity: Type.Optional(Type.String({ description: 'what they say they do, a word of RFC 4480: away, meeting, ...' })),
  note: Type.Optional(Type.String({ description: 'what they say of themselves in their own words' })),
})

/** How it stands with every extension that has phones, as lamps show it. */
export function presenceApi(app: FastifyInstance, exchange: Pick<Exchange, 'books' | 'presence'>): void {
  app.get(
    '/v1/presence',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Extensions: available, ringing, on the phone or offline',
        response: { 200: Type.Object({ extensions: Type.Array(ExtensionPresence) }) },
      },
    },
    (request) => {
      const tenant = tenantOf(request)
      const config = exchange.books.current(tenant)?.config
      return Promise.resolve({
        extensions: [...(config?.extensions.values() ?? [])].flatMap(({ number, name }) => {
          const [phone] = config === undefined ? [] : (phonesOf(config, number) ?? [])
          if (phone === undefined) return []
          const { activity, note } = exchange.presence.saidOf(tenant, number) ?? { activity: null, note: null }
          const said = { ...(activity !== null && { activity }), ...(note !== null && { note }) }
          return [{ number, name: name ?? phone.name, state: exchange.presence.stateOf(tenant, number), ...said }]
        }),
      })
    },
  )
}
