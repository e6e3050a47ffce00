import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { ApiError, notFound } from '#server/api/problem.ts'
import { tenantOf } from '#server/api/app.ts'
import type { RecordingRow, Recordings } from '#server/recordings/face.ts'

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const maybe = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()])
const RecordingView = Type.Object({
  id: Type.String(),
  call: Type.String(),
  startedAt: Type.Number(),
  ms: Type.Number(),
  bytes: Type.Number(),
  turns: Type.Array(Type.Object({ speaker: Type.Integer(), fromMs: Type.Number(), toMs: Type.Number() })),
  gaps: Type.Array(Type.Object({ fromMs: Type.Number(), toMs: Type.Number(), why: Type.String() })),
  mailedAt: maybe(Type.Number()),
  mailedTo: maybe(Type.String()),
  keepUntil: maybe(Type.Number()),
  expiredAt: maybe(Type.Number()),
})

/** Recordings: listed, looked at, played in ranges as players ask for them. */
export function recordingsApi(app: FastifyInstance, recordings: Recordings): void {
  app.get(
    '/v1/recordings',
    {
      config: { role: 'supervisor' },
      schema: {
        summary: 'Recordings, newest first',
        querystring: Type.Object({
          call: Type.Optional(Type.String({ maxLength: 64 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
          cursor: Type.Optional(Type.String({ maxLength: 400 })),
          company: Type.Optional(Type.String()),
        }),
        response: { 200: Type.Object({ recordings: Type.Array(RecordingView), next: maybe(Type.String()) }) },
      },
    },
    async (request) => {
      const { company: _, ...query } = request.query as { call?: string; limit?: number; cursor?: string; company?: string }
      const page = await recordings.list(tenantOf(request), query)
      return { recordings: page.recordings.map(present), next: page.next }
    },
  )

  app.get(
    '/v1/recordings/:id',
    { config: { role: 'supervisor' }, schema: { summary: 'One recording', params: Id, response: { 200: RecordingView } } },
    async (request) => {
      const row = await recordings.get(tenantOf(request), (request.params as Static<typeof Id>).id)
      if (row === null) throw notFound('recording')
      return present(row)
    },
  )

  app.get(
    '/v1/recordings/:id/audio',
    { config: { role: 'supervisor' }, schema: { summary: 'The audio; byte ranges are served', params: Id } },
    async (request, reply) => {
      const range = rangeOf(request.headers.range)
      const { id } = request.params as Static<typeof Id>
      const stream = await recordings.open(tenantOf(request), id, range ?? undefined)
      if (stream === null) throw absent(await recordings.get(tenantOf(request), id))
      reply
        .type(stream.contentType)
        .headers({ 'accept-ranges': 'bytes', 'content-length': stream.end - stream.start + 1, 'cache-control': 'private, no-store' })
      if (range !== null) reply.code(206).header('content-range', `bytes ${stream.start}-${stream.end}/${stream.size}`)
      return reply.send(stream.audio)
    },
  )
}

/** What is told of a recording without audio. */
function absent(row: RecordingRow | null): ApiError {
  if (row === null || row.expiredAt === null) return notFound('recording')
  const day = new Date(row.expiredAt).toISOString().slice(0, 10)
  return new ApiError('gone', `The recording was deleted on ${day}: the company keeps it no longer.`)
}

function rangeOf(header: string | undefined): { start: number; end?: number } | null {
  if (header === undefined) return null
  const found = /^bytes=(\d+)-(\d*)$/.exec(header)
  if (found === null) throw new ApiError('bad-request', 'Only one range of the form bytes=from-to is served.')
  return found[2] === '' || found[2] === undefined ? { start: Number(found[1]) } : { start: Number(found[1]), end: Number(found[2]) }
}

function present(row: RecordingRow): Static<typeof RecordingView> {
  return { ...row, turns: [...row.turns], gaps: [...row.gaps] }
}
