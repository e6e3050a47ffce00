import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { DeskView, NewLogin } from '#contract/api/desks.ts'
import { tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Exchange } from '#server/exchange/exchange.ts'

const Device = Type.Object({ device: Type.String({ minLength: 1, maxLength: 40 }) })

/** Shared phones: who has logged in at them, logging in and out. */
export function desksApi(app: FastifyInstance, { exchange }: { exchange: Exchange }): void {
  const { desks, books } = exchange
  const configOf = (request: FastifyRequest): CompiledConfig => {
    const book = books.current(tenantOf(request))
    if (book === null) throw notFound('company')
    return book.config
  }
  const deskOf = (request: FastifyRequest): CompiledDevice => {
    const device = configOf(request).devices.get((request.params as Static<typeof Device>).device)
    if (device?.shared !== true) throw notFound('shared phone')
    return device
  }
  const viewOf = (request: FastifyRequest, device: CompiledDevice): DeskView => {
    const login = desks.at(tenantOf(request), device.id)
    const { id, location } = device
    // Its own name, not that of who has it just now.
    const shown = { device: id, name: device.ownName, location }
    if (login === null) return { ...shown, login: null }
    const { person, extension, since } = login
    return { ...shown, login: { person, name: configOf(request).people.get(person)?.name ?? person, extension, since: Math.round(since) } }
  }

  app.get(
    '/v1/desks',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Shared phones, and who has logged in at them', response: { 200: Type.Object({ desks: Type.Array(DeskView) }) } },
    },
    (request) => {
      const shared = [...configOf(request).devices.values()].filter((device) => device.shared)
      return Promise.resolve({ desks: shared.map((device) => viewOf(request, device)) })
    },
  )

  app.put(
    '/v1/desks/:device/login',
    {
      config: { role: 'supervisor' },
      schema: {
        summary: 'Make a shared phone somebody’s; their login elsewhere ends',
        params: Device,
        body: NewLogin,
        response: { 200: DeskView },
      },
    },
    (request) => {
      const device = deskOf(request)
      const tenant = tenantOf(request)
      const { extension, pin } = request.body as NewLogin
      const person = desks.personOf(tenant, extension)
      if (person === null) throw new ApiError('bad-request', `Extension ${extension} does not exist, or does not lead to a person.`)
      const checked = pin === undefined ? { person } : desks.check(tenant, device.id, { extension, pin })
      if ('refused' in checked) throw new ApiError('not-allowed', inWords[checked.refused])
      desks.login({ tenant, device, person, extension }, 'api')
      return Promise.resolve(viewOf(request, deskOf(request)))
    },
  )

  app.delete(
    '/v1/desks/:device/login',
    { config: { role: 'supervisor' }, schema: { summary: 'Log out whoever has logged in there', params: Device } },
    (request, reply) => {
      if (desks.logout(tenantOf(request), deskOf(request).id, 'api') === null)
        throw new ApiError('not-now', 'Nobody is logged in at this phone.')
      return reply.code(204).send()
    },
  )
}

const inWords = {
  'wrong-pin': 'The PIN is not right.',
  unknown: 'This person has no PIN.',
  'too-many-tries': 'The PIN was wrong too often: none is taken until tomorrow.',
} as const
