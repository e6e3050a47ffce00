import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Clock } from '#base/clock.ts'
import { CallPageView, CallView, LadderView, NewCall, NewRehearsal, Rehearsal, StartedCall, TimelineView } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import { tenantOf } from '#server/api/app.ts'
import type { NotOriginated } from '#server/calls/originate.ts'
import { originate } from '#server/calls/originate.ts'
import { rehearsalHeader } from '#server/calls/rehearsals.ts'
import { ladderOf } from '#server/calls/ladder.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import type { CallQuery, CallRow, History } from '#server/history/index.ts'

export interface CallsApiNeeds {
  clock: Clock
  exchange: Exchange
  history: History
  log: CallLog
}

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const Query = Type.Object(
  {
    from: Type.Optional(Type.Integer()),
    to: Type.Optional(Type.Integer()),
    direction: Type.Optional(Type.Enum(['inbound', 'outbound', 'internal'])),
    outcome: Type.Optional(Type.String({ maxLength: 40 })),
    missed: Type.Optional(Type.Boolean()),
    recorded: Type.Optional(Type.Boolean()),
    participant: Type.Optional(Type.String({ maxLength: 64 })),
    text: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
    cursor: Type.Optional(Type.String({ maxLength: 400 })),
    company: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
)

/** Calls: history, what goes on now, timelines, ladders, click to call, hanging up, rehearsals. */
export function callsApi(app: FastifyInstance, needs: CallsApiNeeds): void {
  const { exchange, history, log } = needs

  app.get(
    '/v1/calls',
    { config: { role: 'viewer' }, schema: { summary: 'Call history, newest first', querystring: Query, response: { 200: CallPageView } } },
    async (request) => {
      const { company: _, ...query } = request.query as Static<typeof Query>
      const page = await history.calls(tenantOf(request), query as CallQuery)
      return { calls: page.calls.map(present), next: page.next }
    },
  )

  app.get(
    '/v1/calls/live',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Calls in progress', response: { 200: Type.Object({ calls: Type.Array(CallView) }) } },
    },
    (request) =>
      Promise.resolve({
        calls: [...exchange.live.of(tenantOf(request))].flatMap((call) => log.row(call.identity.tenant, call.id) ?? []).map(present),
      }),
  )

  app.get(
    '/v1/calls/:id',
    { config: { role: 'viewer' }, schema: { summary: 'One call', params: Id, response: { 200: CallView } } },
    async (request) => {
      const { id } = request.params as Static<typeof Id>
      const tenant = tenantOf(request)
      const row = log.row(tenant, id) ?? (await history.call(tenant, id))
      if (row === null) throw notFound('call')
      return present(row)
    },
  )

  app.get(
    '/v1/calls/:id/timeline',
    {
      config: { role: 'viewer' },
      schema: { summary: 'Everything that happened in a call, in order', params: Id, response: { 200: TimelineView } },
      // Code made for every kind of fact takes 1 MB.
      serializerCompiler: () => JSON.stringify,
    },
    async (request) => ({ facts: await timelineOf(needs, tenantOf(request), (request.params as Static<typeof Id>).id) }),
  )

  app.get(
    '/v1/calls/:id/ladder',
    { config: { role: 'viewer' }, schema: { summary: 'The SIP messages of a recent call', params: Id, response: { 200: LadderView } } },
    async (request) => {
      const { id } = request.params as Static<typeof Id>
      const tenant = tenantOf(request)
      return ladderOf(exchange.trace, await timelineOf(needs, tenant, id))
    },
  )

  app.post(
    '/v1/calls',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Call somebody: the phones of the extension ring first', body: NewCall, response: { 201: StartedCall } },
    },
    (request, reply) => {
      const body = request.body as NewCall
      const started = originate(
        { calls: exchange.calls, books: exchange.books, live: exchange.live, conduct: exchange.conduct, callLimit: exchange.callLimit },
        { tenant: tenantOf(request), ...body },
      )
      if ('refused' in started) throw refusalOf(started)
      return reply.code(201).header('location', `/v1/calls/${started.id}`).send({ id: started.id })
    },
  )

  app.delete('/v1/calls/:id', { config: { role: 'supervisor' }, schema: { summary: 'End a call', params: Id } }, (request, reply) => {
    const call = exchange.live.get(tenantOf(request), (request.params as Static<typeof Id>).id)
    if (call === null) throw notFound('call in progress')
    call.end({ kind: 'completed', by: 'us', detail: 'ended through the API' })
    return reply.code(204).send()
  })

  app.post(
    '/v1/rehearsals',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'A ticket for one call that pretends another date', body: NewRehearsal, response: { 201: Rehearsal } },
    },
    (request, reply) => {
      const tenant = tenantOf(request)
      const at = instantOf(
        (request.body as Static<typeof NewRehearsal>).at,
        exchange.books.current(tenant)?.config.company.timezone ?? 'UTC',
      )
      if (at === null) throw new ApiError('bad-request', '`at` must be a date and time such as 2026-11-21T20:00 or 2026-11-21T17:00:00Z.')
      return reply.code(201).send({ ticket: exchange.rehearsals.issue(tenant, at), header: rehearsalHeader, at })
    },
  )
}

/** A row as it is shown: without the company, which whoever asks knows. */
export function present(row: CallRow): Static<typeof CallView> {
  const { tenant: _, ...shown } = row
  return { ...shown, recordings: [...row.recordings], legs: [...row.legs] }
}

/** The facts of a call, in order. @throws ApiError when there is no such call. */
export async function timelineOf(needs: Pick<CallsApiNeeds, 'log' | 'history'>, tenant: string, id: string): Promise<Fact[]> {
  const recent = needs.log.facts(tenant, id)
  if (recent !== null) return [...recent]
  const facts = await needs.history.timeline(tenant, id)
  if (facts.length === 0) throw notFound('call')
  return facts
}

function refusalOf(refused: NotOriginated): ApiError {
  switch (refused.refused) {
    case 'overloaded':
      return new ApiError('unavailable', refused.detail)
    default:
      return new ApiError('bad-request', refused.detail)
  }
}

function instantOf(text: string, timeZone: string): number | null {
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    try {
      return Temporal.PlainDateTime.from(text).toZonedDateTime(timeZone).epochMilliseconds
    } catch {
      return null
    }
  }
}
