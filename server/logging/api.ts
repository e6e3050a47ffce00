import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { authorOf, tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import type { FollowedCalls } from '#server/logging/followed.ts'

const name = Type.Optional(Type.String({ minLength: 1, maxLength: 64 }))
const Wish = Type.Object(
  { call: name, device: name, minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_440, description: 'default 30' })) },
  { additionalProperties: false },
)
const View = Type.Object({ id: Type.String(), until: Type.Number(), by: Type.String(), call: name, device: name })
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 20 }) })

/** Which calls are logged in full, at run time. */
export function loggingApi(app: FastifyInstance, followed: FollowedCalls): void {
  app.post(
    '/v1/log/followed',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Log one call, one phone or (with neither) the whole company in full for a while',
        body: Wish,
        response: { 201: View },
      },
    },
    (request, reply) => {
      const { minutes = 30, ...wish } = request.body as Static<typeof Wish>
      const rule = followed.follow(tenantOf(request), wish, { ms: minutes * 60_000, by: authorOf(request) })
      if (rule === null) throw new ApiError('unavailable', 'Twenty such rules are in force already; stop one of them.')
      return reply.code(201).send(rule)
    },
  )

  app.get(
    '/v1/log/followed',
    {
      config: { role: 'admin' },
      schema: { summary: 'What is logged in full now', response: { 200: Type.Object({ followed: Type.Array(View) }) } },
    },
    (request) => Promise.resolve({ followed: followed.list(tenantOf(request)) }),
  )

  app.delete(
    '/v1/log/followed/:id',
    { config: { role: 'admin' }, schema: { summary: 'Log as usual again', params: Id } },
    (request, reply) => {
      if (!followed.stop(tenantOf(request), (request.params as Static<typeof Id>).id)) throw notFound('rule')
      return reply.code(204).send()
    },
  )
}
