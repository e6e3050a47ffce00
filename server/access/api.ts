import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { type ApiKeys, mayActAs, type Role } from '#server/access/index.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import { tenantOf } from '#server/api/app.ts'

const maybe = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const KeyView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String(),
  role: Type.String(),
  createdAt: Type.Number(),
  lastUsedAt: maybe(Type.Number()),
  revokedAt: maybe(Type.Number()),
})
const NewKey = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 80 }), role: Type.Enum(['owner', 'admin', 'supervisor', 'viewer']) },
  { additionalProperties: false },
)

/** A company's keys: made, listed, revoked. Nobody hands out more than they have. */
export function keysApi(app: FastifyInstance, keys: ApiKeys): void {
  app.get(
    '/v1/keys',
    {
      config: { role: 'owner' },
      schema: { summary: 'Keys of the company', response: { 200: Type.Object({ keys: Type.Array(KeyView) }) } },
    },
    async (request) => ({ keys: await keys.list(tenantOf(request)) }),
  )

  app.post(
    '/v1/keys',
    {
      config: { role: 'owner' },
      schema: {
        summary: 'Make a key; its text is shown this once',
        body: NewKey,
        response: { 201: Type.Object({ key: Type.String(), info: KeyView }) },
      },
    },
    async (request, reply) => {
      const { name, role } = request.body as Static<typeof NewKey>
      const mine: Role = request.asker?.caller.role ?? 'viewer'
      if (!mayActAs(mine, role)) throw new ApiError('not-allowed', `A key of role ${mine} cannot make one of role ${role}.`)
      return reply.code(201).send(await keys.create({ tenant: tenantOf(request), name, role }))
    },
  )

  app.delete(
    '/v1/keys/:id',
    { config: { role: 'owner' }, schema: { summary: 'Revoke a key', params: Type.Object({ id: Type.String({ maxLength: 64 }) }) } },
    async (request, reply) => {
      if (!(await keys.revoke(tenantOf(request), (request.params as { id: string }).id))) throw notFound('key')
      return reply.code(204).send()
    },
  )
}
