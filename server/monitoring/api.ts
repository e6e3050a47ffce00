import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Monitor } from '#calls/monitor.ts'
import { StartedCall } from '#contract/api/calls.ts'
import { MonitorChange, MonitorView, NewMonitor } from '#contract/api/rooms.ts'
import { tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import type { NotMonitored } from '#server/monitoring/monitors.ts'

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })

/** Supervisors with people who talk: listening, whispering, barging in. */
export function monitorsApi(app: FastifyInstance, { exchange }: { exchange: Exchange }): void {
  const { monitors } = exchange
  const monitorOf = (request: FastifyRequest): Monitor => {
    const monitor = monitors.get(tenantOf(request), (request.params as Static<typeof Id>).id)
    if (monitor === null) throw notFound('monitor')
    return monitor
  }

  app.get(
    '/v1/monitors',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'Who listens to whom', response: { 200: Type.Object({ monitors: Type.Array(MonitorView) }) } },
    },
    (request) => Promise.resolve({ monitors: [...monitors.of(tenantOf(request))].map(([id, monitor]) => present(id, monitor)) }),
  )

  app.post(
    '/v1/calls/:id/monitors',
    {
      config: { role: 'supervisor' },
      schema: {
        summary: "Ring a supervisor's phone to be with somebody who talks",
        params: Id,
        body: NewMonitor,
        response: { 201: StartedCall },
      },
    },
    (request, reply) => {
      if (exchange.live.size >= exchange.callLimit) throw new ApiError('unavailable', 'All lines are in use.')
      const { id } = request.params as Static<typeof Id>
      const begun = monitors.begin(exchange.calls, { tenant: tenantOf(request), call: id, ...(request.body as NewMonitor) })
      if ('refused' in begun) throw refusalOf(begun)
      return reply.code(201).header('location', `/v1/calls/${begun.id}`).send({ id: begun.id })
    },
  )

  app.patch(
    '/v1/monitors/:id',
    { config: { role: 'supervisor' }, schema: { summary: 'Listen, whisper or barge in instead', params: Id, body: MonitorChange } },
    (request, reply) => {
      const monitor = monitorOf(request)
      const { mode } = request.body as MonitorChange
      if (!monitors.mayChange(monitor, mode)) throw new ApiError('not-allowed', `No monitoring document lets this supervisor ${mode} here.`)
      monitor.change(mode)
      return reply.code(204).send()
    },
  )

  app.delete(
    '/v1/monitors/:id',
    { config: { role: 'supervisor' }, schema: { summary: 'Leave the two alone', params: Id } },
    (request, reply) => {
      monitorOf(request).supervisor.call.end({ kind: 'completed', by: 'us', detail: 'ended through the API' })
      return reply.code(204).send()
    },
  )
}

function refusalOf({ refused, detail }: NotMonitored): ApiError {
  switch (refused) {
    case 'no-such-call':
      return notFound('call in progress')
    case 'not-allowed':
      return new ApiError('not-allowed', detail)
    case 'not-talking':
      return new ApiError('not-now', detail)
    case 'not-a-phone':
      return new ApiError('bad-request', detail)
  }
}

function present(id: string, { supervisor, agent, mode }: Monitor): MonitorView {
  return { id, call: agent.call.id, by: supervisor.endpoint.number, agent: agent.endpoint.number, mode }
}
