import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { NewCapture, StartedCapture } from '#contract/api/operation.ts'
import { mayActAs } from '#server/access/index.ts'
import { authorOf, tenantOf } from '#server/api/app.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import type { Captures } from '#server/capture/captures.ts'
import { captureFile, sipPackets, type TracedOfLeg } from '#server/capture/sip-packets.ts'

export interface CaptureApiNeeds {
  captures: Captures
  /** The SIP messages of a recent call of a company, in order; throws ApiError where there is no such call. */
  traced: (tenant: string, call: string) => Promise<TracedOfLeg[]>
  addressTowards: (remote: string) => string
}

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const defaultSeconds = 120

/** A call's packets in a file for Wireshark: its SIP messages always, its RTP while that was asked for. */
export function captureApi(app: FastifyInstance, { captures, traced, addressTowards }: CaptureApiNeeds): void {
  app.get(
    '/v1/calls/:id/capture',
    {
      config: { role: 'supervisor' },
      schema: { summary: 'The packets of a recent call: SIP, and RTP where it was captured (pcapng)', params: Id },
    },
    async (request, reply) => {
      const { id } = request.params as Static<typeof Id>
      const tenant = tenantOf(request)
      const packets = [...sipPackets(await traced(tenant, id), addressTowards), ...(await captures.packets(tenant, id))]
      return reply
        .type('application/x-pcapng')
        .headers({
          'content-disposition': `attachment; filename="call-${id.replace(/[^\w-]/g, '')}.pcapng"`,
          'cache-control': 'private, no-store',
        })
        .send(captureFile(packets))
    },
  )

  app.post(
    '/v1/calls/:id/capture',
    {
      config: { role: 'supervisor' },
      schema: {
        summary: 'Capture the RTP of a call in progress; its audio, too, needs the role admin',
        params: Id,
        body: NewCapture,
        response: { 201: StartedCapture },
      },
    },
    (request, reply) => {
      const { audio = false, seconds = defaultSeconds } = request.body as NewCapture
      if (audio && (request.asker === null || !mayActAs(request.asker.caller.role, 'admin')))
        throw new ApiError('not-allowed', 'Who captures audio can listen: that needs the role admin.')
      const { id } = request.params as Static<typeof Id>
      const started = captures.start(tenantOf(request), id, { audio, maxMs: seconds * 1_000, by: authorOf(request) })
      if (started === null) throw notFound('call in progress')
      if (started === 'full') throw new ApiError('unavailable', 'Ten calls are being captured already; stop one of them.')
      return reply.code(201).send({ ...started, audio })
    },
  )

  app.delete(
    '/v1/calls/:id/capture',
    { config: { role: 'supervisor' }, schema: { summary: 'Stop capturing a call', params: Id } },
    (request, reply) => {
      if (!captures.stop(tenantOf(request), (request.params as Static<typeof Id>).id)) throw notFound('capture')
      return reply.code(204).send()
    },
  )
}
