import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Call } from '#calls/call.ts'
import type { Consultation } from '#calls/consultation.ts'
import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import type { Outcome } from '#contract/outcome.ts'
import { NewTransfer } from '#contract/api/calls.ts'
import { NewThreeWay } from '#contract/api/rooms.ts'
import { tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import { consult, consultationOf, type ConversationRules, sendOn } from '#server/dialplan/conversation.ts'
import { meet } from '#server/dialplan/three-way.ts'
import type { Exchange } from '#server/exchange/exchange.ts'

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })

/** Transfers of a call in progress, beside those that phones ask for: straight, or after asking. */
export function transfersApi(app: FastifyInstance, { exchange }: { exchange: Exchange }): void {
  app.post(
    '/v1/calls/:id/transfers',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Send the other party to somebody else, without asking', params: Id, body: NewTransfer },
    },
    (request, reply) => {
      const { to } = request.body as NewTransfer
      const leg = whoTransfers(exchange, request)
      const place = rulesOf(exchange, leg.call).placeFor(leg.call, to)
      if (place === null) checkPhones(exchange, leg, to)
      else if ('refused' in place) throw new ApiError('not-now', inWords(place.refused))
      if (!sendOn(leg, to)) throw talksWithNobody()
      return reply.code(202).send({})
    },
  )

  app.post(
    '/v1/calls/:id/consultation',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Call somebody while the other party waits; then complete or cancel', params: Id, body: NewTransfer },
    },
    (request, reply) => {
      const leg = whoTransfers(exchange, request)
      const { to } = request.body as NewTransfer
      const rules = rulesOf(exchange, leg.call)
      if (rules.placeFor(leg.call, to) !== null)
        throw new ApiError('bad-request', `Nobody can be asked at ${to}: send the call there without asking.`)
      checkPhones(exchange, leg, to)
      if (!consult(leg, to, rules)) throw talksWithNobody()
      return reply.code(201).send({})
    },
  )

  app.post(
    '/v1/calls/:id/consultation/complete',
    { config: { role: 'supervisor' }, schema: { summary: 'Connect the party that waits with whoever was asked', params: Id } },
    (request, reply) => {
      asking(exchange, request).complete()
      return reply.code(204).send()
    },
  )

  app.post(
    '/v1/calls/:id/consultation/merge',
    { config: { role: 'supervisor' }, schema: { summary: 'Let all three talk together', params: Id, body: NewThreeWay } },
    (request, reply) => {
      const consultation = asking(exchange, request)
      const { call } = consultation.transferor
      const legs = consultation.release()
      if (legs === null) throw new ApiError('not-now', 'Whoever was asked has not answered yet.')
      const endsWithHost = (request.body as NewThreeWay).hostLeaves === 'end'
      meet(call, legs, { endsWithHost }, rulesOf(exchange, call))
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/calls/:id/consultation',
    { config: { role: 'supervisor' }, schema: { summary: 'Go back to the party that waits', params: Id } },
    (request, reply) => {
      asking(exchange, request).cancel()
      return reply.code(204).send()
    },
  )
}

function callOf(exchange: Exchange, request: FastifyRequest): Call {
  const call = exchange.live.get(tenantOf(request), (request.params as Static<typeof Id>).id)
  if (call === null) throw notFound('call in progress')
  return call
}

/** The leg of `by` that talks. */
function whoTransfers(exchange: Exchange, request: FastifyRequest): Leg {
  const { by } = request.body as NewTransfer
  const leg = callOf(exchange, request).legs.find((each) => each.endpoint.number === by && talkOf(each) !== null)
  if (leg === undefined) throw talksWithNobody()
  return leg
}

/** @throws ApiError, which says why nobody can be called there. */
function checkPhones(exchange: Exchange, { call, endpoint }: Leg, to: string): void {
  const found = exchange.calls.directory.resolve(to, { ...call.identity, asker: endpoint })
  if ('refused' in found) throw new ApiError('bad-request', inWords(found.refused))
}

function inWords({ detail, kind }: Outcome): string {
  const words = detail ?? kind
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

function asking(exchange: Exchange, request: FastifyRequest): Consultation {
  const consultation = consultationOf(callOf(exchange, request))
  if (consultation === null) throw new ApiError('not-now', 'Nobody asks anybody in this call.')
  return consultation
}

/** What conversations of a call obey: it keeps the version of the configuration that it began with. */
export function rulesOf(exchange: Exchange, call: Call): ConversationRules {
  const { tenant, config, asker } = call.identity
  const direction = asker.kind === 'trunk' ? 'inbound' : 'internal'
  return exchange.conduct.rules({ config: exchange.books.at(tenant, config), direction, dialled: '' })
}

function talksWithNobody(): ApiError {
  return new ApiError('not-now', 'Whoever is to transfer does not talk with anybody in this call just now.')
}
