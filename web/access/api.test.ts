import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Api } from '#web/access/api.ts'

/** A server that answers with these, by path. */
function answering(t: TestContext, answers: Record<string, { status: number; body: object }>): Api {
  t.mock.method(globalThis, 'fetch', (path: string) => {
    const found = answers[path]
    return Promise.resolve(found === undefined ? Response.error() : Response.json(found.body, { status: found.status }))
  })
  return new Api('key')
}
const problem = { type: 'urn:centrala:error:gone', title: 'It was deleted.', status: 410, code: 'gone' }

test('a recording that was deleted in its time is told as gone, with when; any other refusal is one', async (t) => {
  const api = answering(t, {
    '/v1/recordings/r1/audio': { status: 410, body: problem },
    '/v1/recordings/r1': { status: 200, body: { id: 'r1', expiredAt: 1_000 } },
    '/v1/recordings/r2/audio': { status: 410, body: problem },
    '/v1/recordings/r2': { status: 503, body: { ...problem, status: 503, code: 'unavailable' } },
    '/v1/recordings/r3/audio': { status: 404, body: { ...problem, status: 404, code: 'not-found' } },
  })
  assert.deepEqual(await api.recording('r1'), { kind: 'gone', at: 1_000 })
  assert.deepEqual(await api.recording('r2'), { kind: 'refused', problem })
  const missing = await api.recording('r3')
  assert.equal(missing.kind === 'refused' && missing.problem.code, 'not-found')
})
