import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { WorkMeter } from '#base/work-meter.ts'
import { Problem } from '#contract/errors.ts'
import { type ApiKeys, type Caller, type IdempotencyKeys, mayActAs, type Role } from '#server/access/index.ts'
import { ApiError, problem, problemOf, sendProblem } from '#server/api/problem.ts'
import { RateLimit } from '#server/api/rate-limit.ts'

/** Who asks, and for which company: set before any handler of a walled route runs. */
export interface Asker {
  caller: Caller
  tenant: string
}

declare module 'fastify' {
  interface FastifyRequest {
    asker: Asker | null
  }
  interface FastifyContextConfig {
    /** Who may use the route; absent: everybody, without a key. */
    role?: Role
    /** The route is not about one company. */
    system?: boolean
  }
}

export interface ApiNeeds {
  clock: Clock
  log: Log
  meter: WorkMeter
  keys: Pick<ApiKeys, 'verify'>
  idempotency: IdempotencyKeys
  isCompany: (tenant: string) => boolean
}

/** An operator's key is for every company: this header says which. */
export const companyHeader = 'centrala-company'

const requestsPerMinute = 1_200
const bodyBytes = 4 * 1024 * 1024

/**
 * The HTTP server without any routes: authentication, roles, the wall between companies, idempotency, rate limits and problem details, the same
 * for every route that slices add.
 */
export async function openApi(needs: ApiNeeds): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: bodyBytes,
    logger: false,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: true } },
    routerOptions: { maxParamLength: 256 },
  })
  const begins = (request: FastifyRequest): void => needs.meter.begins('http', `${request.method} ${request.routeOptions.url ?? ''}`)
  const limit = new RateLimit(needs.clock, requestsPerMinute)
  app.decorateRequest('asker', null)
  app.setErrorHandler((fault, request, reply) => {
    const told = problemOf(fault)
    if (told.status === 500)
      needs.log.error('an API request broke', {
        route: request.routeOptions.url,
        fault: fault instanceof Error ? fault.stack : String(fault),
      })
    return sendProblem(reply, told)
  })
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problem('not-found', 'There is nothing at this address.')))
  app.addHook('onRequest', async (request, reply) => {
    begins(request)
    reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' })
    const { role, system } = request.routeOptions.config
    if (role !== undefined) request.asker = await admit(needs, limit, { request, reply, role, system: system === true })
  })
  app.addHook('preHandler', (request, reply) => {
    begins(request)
    return replay(needs.idempotency, request, reply)
  })
  app.addHook('onSend', (request, reply, payload) => remember(needs.idempotency, request, reply, payload))
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Centrala', version: '1', description: 'Everything that the web app does, and more, for programs.' },
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
        schemas: { Problem: Problem as never },
      },
      security: [{ key: [] }],
    },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  return app
}

/** The company of a walled request. */
export function tenantOf(request: FastifyRequest): string {
  if (request.asker === null) throw new ApiError('not-signed-in', 'This needs a key.')
  return request.asker.tenant
}

/** Who did it, for versions and the journal. */
export function authorOf(request: FastifyRequest): string {
  return request.asker?.caller.name ?? 'nobody'
}

interface Admission {
  request: FastifyRequest
  reply: FastifyReply
  role: Role
  system: boolean
}

async function admit(needs: ApiNeeds, limit: RateLimit, at: Admission): Promise<Asker> {
  const { request, reply } = at
  const key = keyOf(request)
  const caller = key === null ? null : await needs.keys.verify(key)
  if (caller === null) {
    reply.header('www-authenticate', 'Bearer realm="centrala"')
    throw new ApiError(
      'not-signed-in',
      key === null ? 'Send a key: Authorization: Bearer <key>.' : 'This key is not known, or was revoked.',
    )
  }
  const allowance = limit.take(caller.keyId)
  reply.headers({
    'ratelimit-limit': allowance.limit,
    'ratelimit-remaining': allowance.remaining,
    'ratelimit-reset': allowance.resetSeconds,
  })
  if (!allowance.allowed) {
    reply.header('retry-after', '1')
    throw new ApiError('too-many-requests', `At most ${allowance.limit} requests a minute.`)
  }
  if (!mayActAs(caller.role, at.role)) throw new ApiError('not-allowed', `This needs the role ${at.role}; the key has ${caller.role}.`)
  if (at.system) return { caller, tenant: caller.tenant ?? '' }
  return { caller, tenant: companyOf(needs, request, caller) }
}

function companyOf(needs: ApiNeeds, request: FastifyRequest, caller: Caller): string {
  const named = request.headers[companyHeader] ?? queryOf(request, 'company')
  if (caller.tenant !== null) {
    if (named !== undefined && named !== caller.tenant) throw new ApiError('not-found', 'There is no such company.')
    return caller.tenant
  }
  if (typeof named !== 'string')
    throw new ApiError('bad-request', `An operator's key needs the header ${companyHeader}: the id of a company.`)
  if (!needs.isCompany(named)) throw new ApiError('not-found', 'There is no such company.')
  return named
}

/** From the Authorization header; for the event stream, where browsers cannot set one, from the WebSocket protocol list. */
function keyOf(request: FastifyRequest): string | null {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const protocols = request.headers['sec-websocket-protocol']?.split(',').map((p) => p.trim()) ?? []
  return protocols.find((p) => p.startsWith('key.'))?.slice('key.'.length) ?? null
}

function queryOf(request: FastifyRequest, name: string): string | undefined {
  const query = request.query
  const value = typeof query === 'object' && query !== null ? (query as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value : undefined
}

const changing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function idempotencyKeyOf(request: FastifyRequest): { tenant: string; key: string } | null {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || request.asker === null || !changing.has(request.method)) return null
  if (key.length > 128) throw new ApiError('bad-request', 'An Idempotency-Key has at most 128 characters.')
  return { tenant: request.asker.tenant, key }
}

async function replay(keys: IdempotencyKeys, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const id = idempotencyKeyOf(request)
  if (id === null || id.tenant === '') return undefined
  const fingerprint = createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest('hex')
  const verdict = await keys.begin(id.tenant, id.key, fingerprint)
  switch (verdict.kind) {
    case 'new':
      return undefined
    case 'replay':
      reply.header('idempotent-replayed', 'true')
      request.headers['idempotency-key'] = undefined
      return reply.code(verdict.answer.status).send(verdict.answer.body)
    case 'in-progress':
      request.headers['idempotency-key'] = undefined
      throw new ApiError('conflict', 'The first request with this Idempotency-Key is still being done.')
    case 'mismatch':
      request.headers['idempotency-key'] = undefined
      throw new ApiError('key-reused', 'This Idempotency-Key belongs to another request.')
  }
}

async function remember(keys: IdempotencyKeys, request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  const id = idempotencyKeyOf(request)
  if (id === null || id.tenant === '') return payload
  if (reply.statusCode >= 500 || reply.statusCode === 401 || reply.statusCode === 429) await keys.forget(id.tenant, id.key)
  else await keys.finish(id.tenant, id.key, { status: reply.statusCode, body: typeof payload === 'string' ? parsed(payload) : null })
  return payload
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
