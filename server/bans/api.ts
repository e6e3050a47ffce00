import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { authorOf } from '#server/api/app.ts'
import { notFound } from '#server/api/problem.ts'
import type { Bans } from '#server/bans/bans.ts'

const View = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('source'), Type.Literal('guessing-source'), Type.Literal('account'), Type.Literal('login')]),
  who: Type.String(),
  reason: Type.String(),
  until: Type.Number({ description: 'ms of Unix time' }),
  dropped: Type.Integer(),
})
const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 512 }) })

/** Who is not listened to, for the operator: seen, and ended by one request. */
export function bansApi(app: FastifyInstance, bans: Bans): void {
  app.get(
    '/v1/bans',
    {
      config: { role: 'operator', system: true },
      schema: { summary: 'Who is not listened to, why and until when', response: { 200: Type.Object({ bans: Type.Array(View) }) } },
    },
    () => Promise.resolve({ bans: bans.list() }),
  )

  app.delete(
    '/v1/bans/:id',
    { config: { role: 'operator', system: true }, schema: { summary: 'Ends a ban and forgets what led to it', params: Id } },
    (request, reply) => {
      if (!bans.release((request.params as Static<typeof Id>).id, authorOf(request))) throw notFound('ban')
      return reply.code(204).send()
    },
  )
}
