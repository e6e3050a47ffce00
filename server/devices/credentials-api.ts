import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { NewFact } from '#contract/facts.ts'
import { authorOf, tenantOf } from '#server/api/app.ts'
import { notFound } from '#server/api/problem.ts'
import { secretsOf } from '#server/companies/secrets.ts'
import type { ConfigStore } from '#server/config-store/index.ts'
import type { Books } from '#server/dialplan/books.ts'

export interface CredentialsNeeds {
  books: Books
  store: Pick<ConfigStore, 'reveal'>
  tell: (fact: NewFact) => void
}

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const CredentialsView = Type.Object({ user: Type.String(), password: Type.String(), domain: Type.String() })

/** What a phone must be told to register. The only way by which a password leaves the system: for owners, and each time a fact. */
export function credentialsApi(app: FastifyInstance, needs: CredentialsNeeds): void {
  app.get(
    '/v1/devices/:id/credentials',
    {
      config: { role: 'owner' },
      schema: { summary: 'User, password and domain of a phone', params: Id, response: { 200: CredentialsView } },
    },
    (request, reply) => {
      const tenant = tenantOf(request)
      const config = needs.books.current(tenant)?.config
      const device = config?.devices.get((request.params as Static<typeof Id>).id)
      const password = device === undefined || device.password === null ? null : secretsOf(needs.store, tenant)(device.password)
      if (config === undefined || device === undefined || password === null) throw notFound('phone with a password')
      needs.tell({ kind: 'device.password-shown', tenant, device: device.id, to: authorOf(request) })
      return reply.header('cache-control', 'no-store').send({ user: device.username, password, domain: config.settled.sipDomain })
    },
  )
}
