import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { ApiKeys } from '#server/access/index.ts'
import { ApiError } from '#server/api/problem.ts'
import type { Tenants } from '#server/tenants/index.ts'

const CompanyView = Type.Object({ id: Type.String(), name: Type.String(), state: Type.String(), createdAt: Type.Number() })
const NewCompany = Type.Object(
  { id: Type.String({ maxLength: 63 }), name: Type.String({ minLength: 1, maxLength: 80 }) },
  { additionalProperties: false },
)

/** Companies on this system, for the provider. */
export function companiesApi(app: FastifyInstance, tenants: Tenants, keys: ApiKeys): void {
  app.get(
    '/v1/companies',
    {
      config: { role: 'operator', system: true },
      schema: { summary: 'Companies', response: { 200: Type.Object({ companies: Type.Array(CompanyView) }) } },
    },
    async () => ({ companies: await tenants.list() }),
  )

  app.post(
    '/v1/companies',
    {
      config: { role: 'operator', system: true },
      schema: {
        summary: 'A new company, with the key of its owner',
        body: NewCompany,
        response: { 201: Type.Object({ company: CompanyView, key: Type.String() }) },
      },
    },
    async (request, reply) => {
      const made = await tenants.create(request.body as Static<typeof NewCompany>)
      if (made.kind === 'taken') throw new ApiError('conflict', 'There is a company with this id already.')
      if (made.kind === 'bad-id') throw new ApiError('bad-request', 'An id is 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.')
      const { key } = await keys.create({ tenant: made.tenant.id, name: 'Owner', role: 'owner' })
      return reply.code(201).send({ company: made.tenant, key })
    },
  )
}
