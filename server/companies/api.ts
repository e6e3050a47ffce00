import type { FastifyInstance, FastifyReply } from 'fastify'
import Type, { type Static } from 'typebox'
import { ConfigProblem } from '#contract/errors.ts'
import { ApiError, notFound } from '#server/api/problem.ts'
import { authorOf, tenantOf } from '#server/api/app.ts'
import {
  type Applied,
  applyConfiguration,
  type ApplyNeeds,
  type Conflict,
  planConfiguration,
  type Refused,
  restoreSounds,
  type Wanted,
  withoutSounds,
} from '#server/companies/apply.ts'
import { claimedByOthers } from '#server/companies/claims.ts'
import { sourcesOfOthers } from '#server/companies/source-claims.ts'
import { diff, renderPlan } from '#server/config/diff.ts'
import { readValues } from '#server/config/read.ts'
import { writeYaml } from '#server/config/write.ts'
import { type ConfigDocument, documentKinds } from '#contract/documents/document.ts'

const Comment = Type.Optional(Type.String({ maxLength: 500 }))
const Documents = Type.Object(
  {
    /** Documents as JSON; or `files`, as YAML texts with their names. */
    documents: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 20_000 })),
    files: Type.Optional(Type.Array(Type.Object({ name: Type.String({ maxLength: 200 }), text: Type.String() }), { maxItems: 1_000 })),
    /** Sound files that are not here yet and will be before it is applied: a plan counts them as there. */
    coming: Type.Optional(
      Type.Array(
        Type.Object({
          file: Type.String({ maxLength: 700 }),
          ms: Type.Number({ minimum: 0 }),
          /** Of its bytes: then the plan shows whether the sound changes. */
          sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
        }),
        { maxItems: 1_000 },
      ),
    ),
    comment: Comment,
  },
  { additionalProperties: false },
)
const FieldChange = Type.Object({
  pointer: Type.String({ description: 'JSON pointer (RFC 6901)' }),
  /** Absent: it was not there. */
  before: Type.Optional(Type.Unknown()),
  /** Absent: it is taken away. */
  after: Type.Optional(Type.Unknown()),
})
const Change = Type.Object({
  kind: Type.String(),
  id: Type.String(),
  change: Type.Enum(['added', 'removed', 'changed']),
  fields: Type.Array(FieldChange),
})
const PlanView = Type.Object({
  version: Type.Integer({ description: 'the current one' }),
  changes: Type.Array(Change),
  text: Type.String(),
  warnings: Type.Array(ConfigProblem),
})
const VersionView = Type.Object({ version: Type.Integer(), author: Type.String(), comment: Type.String(), at: Type.Number() })
const Rollback = Type.Object({ to: Type.Optional(Type.Integer({ minimum: 1 })), comment: Comment }, { additionalProperties: false })
const tag = (version: number): string => `"${version}"`

/** A company's configuration: read, planned, applied, gone back with; always as a whole. */
export function configurationApi(app: FastifyInstance, needs: ApplyNeeds): void {
  const { store } = needs

  app.get(
    '/v1/configuration',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'The current configuration, or that of a version; secrets masked',
        querystring: Type.Object({ version: Type.Optional(Type.Integer({ minimum: 1 })), company: Type.Optional(Type.String()) }),
        response: {
          200: Type.Object({
            version: Type.Integer(),
            documents: Type.Array(Type.Unknown()),
            files: Type.Array(Type.Object({ name: Type.String(), text: Type.String() })),
          }),
        },
      },
    },
    async (request, reply) => {
      const tenant = tenantOf(request)
      const { version: wanted } = request.query as { version?: number }
      const version = wanted === undefined ? store.current(tenant) : await store.at(tenant, wanted)
      if (version === null) throw notFound('version')
      const documents = withoutSounds(store.masked(version))
      reply.header('etag', tag(version.version))
      return { version: version.version, documents, files: filesOf(readValues(documents).documents) }
    },
  )

  app.post(
    '/v1/configuration/plan',
    {
      config: { role: 'admin' },
      schema: { summary: 'What applying would change; nothing is changed', body: Documents, response: { 200: PlanView } },
    },
    async (request) => {
      const { coming } = request.body as Static<typeof Documents>
      const planned = await planConfiguration(needs, tenantOf(request), {
        ...wantedOf(request.body),
        ...(coming !== undefined && { coming }),
      })
      if (planned.kind === 'refused') throw refusal(planned)
      return {
        version: planned.current,
        changes: planned.changes,
        text: renderPlan(planned.changes),
        warnings: planned.warnings,
      }
    },
  )

  app.put(
    '/v1/configuration',
    { config: { role: 'admin' }, schema: { summary: 'A whole new configuration; with If-Match, only over that version', body: Documents } },
    async (request, reply) => {
      const expected = versionOf(request.headers['if-match'])
      const result = await applyConfiguration(needs, tenantOf(request), {
        wanted: wantedOf(request.body),
        author: authorOf(request),
        comment: (request.body as Static<typeof Documents>).comment ?? '',
        ...(expected !== null && { expected }),
      })
      return answer(reply, result)
    },
  )

  app.get(
    '/v1/configuration/versions',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Versions, newest first',
        querystring: Type.Object({
          before: Type.Optional(Type.Integer()),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
          company: Type.Optional(Type.String()),
        }),
        response: { 200: Type.Object({ versions: Type.Array(VersionView) }) },
      },
    },
    async (request) => {
      const { company: _, ...page } = request.query as { before?: number; limit?: number; company?: string }
      return { versions: await store.history(tenantOf(request), page) }
    },
  )

  app.get(
    '/v1/configuration/diff',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'What changed between two versions',
        querystring: Type.Object({
          from: Type.Integer({ minimum: 1 }),
          to: Type.Integer({ minimum: 1 }),
          company: Type.Optional(Type.String()),
        }),
        response: { 200: Type.Object({ changes: Type.Array(Change), text: Type.String() }) },
      },
    },
    async (request) => {
      const { from, to } = request.query as { from: number; to: number }
      const tenant = tenantOf(request)
      const [before, after] = await Promise.all([store.at(tenant, from), store.at(tenant, to)])
      if (before === null || after === null) throw notFound('version')
      const changes = diff(readValues(store.masked(before)).documents, readValues(store.masked(after)).documents)
      return { changes: changes, text: renderPlan(changes) }
    },
  )

  app.post(
    '/v1/configuration/rollback',
    { config: { role: 'admin' }, schema: { summary: 'Make an earlier version current again, as a new one', body: Rollback } },
    async (request, reply) => {
      const tenant = tenantOf(request)
      const { to, comment } = request.body as Static<typeof Rollback>
      const current = store.current(tenant)?.version ?? 0
      const target = to ?? current - 1
      const author = authorOf(request)
      const said = comment ?? `Back to version ${target}`
      const { documents } = readValues((await store.at(tenant, target))?.documents ?? [])
      const problems = [...claimedByOthers(store, tenant, documents), ...sourcesOfOthers({ store, ...needs.sources }, tenant, documents)]
      if (problems.length > 0) throw refusal({ kind: 'refused', problems })
      const result = await store.rollback(tenant, target, { expected: current, author, comment: said })
      if (result.kind === 'missing') throw notFound('version')
      if (result.kind === 'conflict') throw conflict(result.current)
      const { version } = result.version
      await restoreSounds(needs, tenant, documents)
      needs.tell({ kind: 'config.changed', tenant, version, author, comment: said })
      return reply.header('etag', tag(version)).send({ version })
    },
  )
}

function answer(reply: FastifyReply, result: Applied | Refused | Conflict): FastifyReply {
  if (result.kind === 'refused') throw refusal(result)
  if (result.kind === 'conflict') throw conflict(result.current)
  return reply.header('etag', tag(result.version)).send({
    version: result.version,
    changes: result.changes,
    text: renderPlan(result.changes),
    warnings: result.warnings,
  })
}

function refusal(refused: Refused): ApiError {
  const errors = refused.problems.filter((p) => p.severity === 'error').length
  return new ApiError(
    'invalid-configuration',
    `${errors} ${errors === 1 ? 'thing is' : 'things are'} wrong; nothing was changed.`,
    refused.problems,
  )
}

function conflict(current: number): ApiError {
  return new ApiError('conflict', `The current version is ${current}; look at what changed, then try again.`)
}

function wantedOf(body: unknown): Wanted {
  const { documents, files } = body as Static<typeof Documents>
  if ((documents === undefined) === (files === undefined)) throw new ApiError('bad-request', 'Send either `documents` or `files`.')
  return files !== undefined ? { files } : { documents: documents ?? [] }
}

function versionOf(header: string | undefined): number | null {
  if (header === undefined) return null
  const version = Number(/^"?(\d+)"?$/.exec(header)?.[1] ?? Number.NaN)
  if (!Number.isInteger(version)) throw new ApiError('bad-request', 'If-Match must be the number of a version.')
  return version
}

/** One file per kind, as a company would keep them in git. */
function filesOf(documents: readonly ConfigDocument[]): { name: string; text: string }[] {
  return documentKinds.flatMap((kind) => {
    const ofKind = documents.filter((document) => document.kind === kind)
    return ofKind.length === 0 ? [] : [{ name: `${kind}.yaml`, text: writeYaml(ofKind) }]
  })
}
