import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { talkOf, type Talk } from '#calls/join.ts'
import { silentReferral } from '#calls/referral.ts'
import { Ring } from '#calls/ring.ts'
import { CallbackView, FetchParked, NewCallback, NewFlip, NewPark, ParkedView } from '#contract/api/calls.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import { rulesOf } from '#server/calls/transfers-api.ts'
import { planOf } from '#server/dialplan/plan.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { flipTo } from '#server/features/flip.ts'

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const Slot = Type.Object({ slot: Type.String({ minLength: 1, maxLength: 8 }) })

/** How long the phone rings that is to fetch a call. */
const fetchMs = 30_000

/** Parking, fetching and bringing over, beside the codes that phones dial. */
export function featuresApi(app: FastifyInstance, { exchange }: { exchange: Exchange }): void {
  app.get(
    '/v1/parked',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Calls that wait in parking slots', response: { 200: Type.Object({ calls: Type.Array(ParkedView) }) } },
    },
    (request) => {
      const tenant = tenantOf(request)
      const parked = exchange.parking.of(tenant, configOf(exchange, tenant))
      return Promise.resolve({
        calls: parked.map(({ terms, party, since }) => ({
          ...{ slot: terms.slot, call: party.call.id, number: party.endpoint.number, since, by: terms.by?.number ?? null },
          ...(party.endpoint.name !== undefined && { name: party.endpoint.name }),
        })),
      })
    },
  )

  app.post(
    '/v1/calls/:id/park',
    {
      config: { role: 'supervisor' },
      schema: {
        ...{ summary: 'Park whom somebody talks with, in a slot or the first that is free', params: Id, body: NewPark },
        response: { 201: Type.Object({ slot: Type.String() }) },
      },
    },
    (request, reply) => {
      const { by, slot } = request.body as NewPark
      const talk = talkBy(exchange, request, by)
      const { call } = talk.leg
      const number = slot ?? exchange.books.at(call.identity.tenant, call.identity.config).settled.features.codes.park
      const place = rulesOf(exchange, call).placeFor(call, number)
      if (place !== null && 'refused' in place) throw new ApiError('not-now', `${place.refused.detail ?? 'it is taken'}.`)
      if (place === null || place.slot === null) throw new ApiError('bad-request', `${number} is not a parking slot.`)
      talk.bridge.close()
      place.take(talk.other, talk.leg, silentReferral(place.slot))
      return reply.code(201).send({ slot: place.slot })
    },
  )

  app.post(
    '/v1/parked/:slot/fetch',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Ring an extension that is to talk with who waits', params: Slot, body: FetchParked },
    },
    (request, reply) => {
      const tenant = tenantOf(request)
      const park = exchange.parking.at(tenant, (request.params as Static<typeof Slot>).slot)
      if (park === null) throw notFound('parked call')
      const config = configOf(exchange, tenant)
      const extension = config.extensions.get((request.body as FetchParked).extension)
      const plan = extension === undefined ? null : planOf(config, { target: extension.target, extension })
      if (plan === null) throw new ApiError('bad-request', 'There is no such extension, or it is not a phone.')
      const { party } = park
      const steps = plan.steps.map((step) => ({ ...step, ms: fetchMs }))
      new Ring(party.call, { ...plan, steps, namePrefix: park.terms.slot, ...(party.role === 'callee' && { as: 'caller' }) }, party, {
        onRinging: () => undefined,
        onAnswered: (leg) => {
          if (!park.fetch(leg)) leg.hangUp({ kind: 'answered-elsewhere', by: 'nobody' })
        },
        onUnanswered: () => undefined,
      })
      return reply.code(202).send({})
    },
  )

  app.post(
    '/v1/calls/:id/flip',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Bring a call to other phones of the same person: they ring, and who answers goes on', params: Id, body: NewFlip },
    },
    (request, reply) => {
      const { by, device } = request.body as NewFlip
      const talk = talkBy(exchange, request, by)
      const why = flipTo(talk.leg, configOf(exchange, tenantOf(request)), device ?? null)
      if (why !== null) throw new ApiError('bad-request', why)
      return reply.code(202).send({})
    },
  )

  app.get(
    '/v1/callbacks',
    {
      config: { role: 'viewer' },
      schema: {
        summary: 'Who is to be called when whom they wanted is free',
        response: { 200: Type.Object({ callbacks: Type.Array(CallbackView) }) },
      },
    },
    (request) => {
      const callbacks = exchange.callbacks.of(tenantOf(request)).map(({ extension, to, until }) => ({ extension, to, until }))
      return Promise.resolve({ callbacks })
    },
  )

  app.post(
    '/v1/callbacks',
    {
      config: { role: 'supervisor' },
      schema: {
        summary: 'Call an extension, and then a colleague, when both are free',
        body: NewCallback,
        response: { 201: CallbackView },
      },
    },
    (request, reply) => {
      const { extension, to } = request.body as NewCallback
      const tenant = tenantOf(request)
      const { extensions } = configOf(exchange, tenant)
      if (!extensions.has(extension) || !extensions.has(to)) throw new ApiError('bad-request', 'There is no such extension.')
      const asked = exchange.callbacks.request(tenant, extension, { to, waitsFor: 'free' })
      if (asked === null) throw new ApiError('not-now', 'Too many wait to be called back.')
      return reply.code(201).send({ extension, to, until: asked.until })
    },
  )

  app.delete(
    '/v1/callbacks/:extension/:to',
    { config: { role: 'supervisor' }, schema: { summary: 'Withdraw it', params: NewCallback } },
    (request, reply) => {
      const { extension, to } = request.params as NewCallback
      if (exchange.callbacks.cancel(tenantOf(request), extension, to) === 0) throw notFound('request to be called back')
      return reply.code(204).send()
    },
  )
}

function configOf(exchange: Exchange, tenant: string): CompiledConfig {
  const book = exchange.books.current(tenant)
  if (book === null) throw notFound('company')
  return book.config
}

/** The conversation of `by` in this call. */
function talkBy(exchange: Exchange, request: FastifyRequest, by: string): Talk {
  const call = exchange.live.get(tenantOf(request), (request.params as Static<typeof Id>).id)
  if (call === null) throw notFound('call in progress')
  for (const leg of call.legs) {
    const talk = leg.endpoint.number === by ? talkOf(leg) : null
    if (talk !== null) return talk
  }
  throw new ApiError('not-now', `${by} does not talk with anybody in this call just now.`)
}
