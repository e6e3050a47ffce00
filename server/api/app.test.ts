import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { noMeter } from '#base/work-meter.ts'
import type { Caller, IdempotencyKeys, StoredAnswer } from '#server/access/index.ts'
import { openApi, tenantOf } from '#server/api/app.ts'
import { ApiError } from '#server/api/problem.ts'
import { RateLimit } from '#server/api/rate-limit.ts'
import { StoreAwayError } from '#server/store/index.ts'

const keys: Record<string, Caller> = {
  owner: { keyId: 'k1', name: 'Anna', tenant: 'acme', role: 'owner' },
  viewer: { keyId: 'k2', name: 'Board', tenant: 'acme', role: 'viewer' },
  operator: { keyId: 'k3', name: 'Ops', tenant: null, role: 'operator' },
}

function memoryKeys(): IdempotencyKeys {
  const kept = new Map<string, { fingerprint: string; answer: StoredAnswer | null }>()
  return {
    begin: async (tenant, key, fingerprint) => {
      const found = kept.get(`${tenant}/${key}`)
      if (found === undefined) {
        kept.set(`${tenant}/${key}`, { fingerprint, answer: null })
        return { kind: 'new' }
      }
      if (found.fingerprint !== fingerprint) return { kind: 'mismatch' }
      return found.answer === null ? { kind: 'in-progress' } : { kind: 'replay', answer: found.answer }
    },
    finish: async (tenant, key, answer) => {
      const found = kept.get(`${tenant}/${key}`)
      if (found !== undefined) found.answer = answer
    },
    forget: async (tenant, key) => void kept.delete(`${tenant}/${key}`),
  }
}

/** An API of four routes. `done`: how often the one that changes something did. */
async function api(): Promise<{ app: FastifyInstance; clock: VirtualClock; done: () => number; ask: Ask }> {
  const clock = new VirtualClock()
  const verify = async (key: string): Promise<Caller | null> => keys[key] ?? null
  const app = await openApi({
    meter: noMeter,
    clock,
    log: silentLog,
    keys: { verify },
    idempotency: memoryKeys(),
    isCompany: (id) => id === 'acme' || id === 'beta',
  })
  let done = 0
  app.get('/v1/mine', { config: { role: 'viewer' } }, (request) => ({ company: tenantOf(request) }))
  app.post('/v1/calls', { config: { role: 'admin' } }, (_request, reply) => reply.code(201).send({ number: ++done }))
  app.post('/v1/broken', { config: { role: 'admin' } }, () => {
    done++
    throw new Error('secret words of the inside')
  })
  app.get('/v1/away', { config: { role: 'viewer' } }, () => {
    throw new StoreAwayError('connection refused')
  })
  app.get('/v1/refused', { config: { role: 'viewer' } }, () => {
    throw new ApiError('not-now', 'The call has ended.')
  })
  const ask: Ask = async (method, url, key, { body, ...headers } = {}) => {
    const authorization = key === null ? {} : { authorization: `Bearer ${key}` }
    const response = await app.inject({
      method,
      url,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { payload: body }),
    })
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }
  return { app, clock, done: () => done, ask }
}
type Ask = (
  method: 'GET' | 'POST',
  url: string,
  key: string | null,
  /** Request headers, and the body. */
  more?: { body?: object; [header: string]: string | object | undefined },
) => Promise<{ status: number; headers: Record<string, unknown>; body: Record<string, unknown> }>

test('without a key, or with a wrong one, nothing is told', async () => {
  const { ask } = await api()
  for (const key of [null, 'wrong']) {
    const { status, body } = await ask('GET', '/v1/mine', key)
    assert.deepEqual([status, body['code']], [401, 'not-signed-in'])
  }
})

test('a role may do what is its own and nothing above', async () => {
  const { ask, done } = await api()
  assert.equal((await ask('POST', '/v1/calls', 'viewer')).body['code'], 'not-allowed')
  assert.equal((await ask('POST', '/v1/calls', 'owner')).status, 201)
  assert.equal(done(), 1)
})

test('a key sees its own company only; an operator says which', async () => {
  const { ask } = await api()
  assert.deepEqual((await ask('GET', '/v1/mine', 'owner')).body, { company: 'acme' })
  assert.equal((await ask('GET', '/v1/mine', 'owner', { 'centrala-company': 'beta' })).status, 404)
  assert.deepEqual((await ask('GET', '/v1/mine', 'operator', { 'centrala-company': 'beta' })).body, { company: 'beta' })
  assert.equal((await ask('GET', '/v1/mine', 'operator', { 'centrala-company': 'gamma' })).status, 404)
  assert.equal((await ask('GET', '/v1/mine', 'operator')).status, 400)
})

test('a repeated request with its Idempotency-Key is done once and answered the same', async () => {
  const { ask, done } = await api()
  const key = { 'idempotency-key': 'abc' }
  const first = await ask('POST', '/v1/calls', 'owner', { ...key, body: { to: '100' } })
  const again = await ask('POST', '/v1/calls', 'owner', { ...key, body: { to: '100' } })
  assert.deepEqual([first.status, again.status, again.body, done()], [201, 201, first.body, 1])
  assert.equal(again.headers['idempotent-replayed'], 'true')
  const other = await ask('POST', '/v1/calls', 'owner', { ...key, body: { to: '101' } })
  assert.deepEqual([other.status, other.body['code'], done()], [422, 'key-reused', 1])
})

test('a request that broke may be tried again under the same key', async () => {
  const { ask, done } = await api()
  await ask('POST', '/v1/broken', 'owner', { 'idempotency-key': 'abc' })
  await ask('POST', '/v1/broken', 'owner', { 'idempotency-key': 'abc' })
  assert.equal(done(), 2)
})

test('what went wrong is told as problem details, and of the inside nothing', async () => {
  const { ask } = await api()
  const broken = await ask('POST', '/v1/broken', 'owner')
  assert.match(String(broken.headers['content-type']), /^application\/problem\+json/)
  assert.equal(broken.body['type'], 'urn:centrala:error:internal')
  assert.doesNotMatch(JSON.stringify(broken.body), /secret/)
  const away = await ask('GET', '/v1/away', 'owner')
  assert.deepEqual([away.status, away.headers['retry-after']], [503, '5'])
  const refused = await ask('GET', '/v1/refused', 'owner')
  assert.deepEqual([refused.status, refused.body['code'], refused.body['detail']], [409, 'not-now', 'The call has ended.'])
  assert.equal((await ask('GET', '/v1/nothing', 'owner')).body['code'], 'not-found')
})

test('a key that asks too often waits; time gives it back what it may', () => {
  const clock = new VirtualClock()
  const limit = new RateLimit(clock, 60)
  for (let n = 0; n < 60; n++) assert.equal(limit.take('a').allowed, true)
  assert.deepEqual(limit.take('a'), { limit: 60, remaining: 0, resetSeconds: 60, allowed: false })
  assert.equal(limit.take('b').allowed, true, 'another key has its own')
  clock.advance(1_000)
  assert.equal(limit.take('a').allowed, true)
  assert.equal(limit.take('a').allowed, false)
})

test('too many requests are answered 429 with the time to wait', async () => {
  const { ask } = await api()
  let last = await ask('GET', '/v1/mine', 'viewer')
  for (let n = 0; n < 1_300 && last.status === 200; n++) last = await ask('GET', '/v1/mine', 'viewer')
  assert.deepEqual([last.status, last.body['code']], [429, 'too-many-requests'])
  assert.ok(Number(last.headers['retry-after']) >= 1)
})
