import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { noMeter } from '#base/work-meter.ts'
import { openApi } from '#server/api/app.ts'
import { recordingsApi } from '#server/recordings/api.ts'
import type { RecordingRow, Recordings } from '#server/recordings/index.ts'

const row: RecordingRow = {
  ...{ id: 'r1', call: 'c1', startedAt: 1_000, ms: 1, bytes: 1, turns: [], gaps: [], mailedAt: null, mailedTo: null },
  keepUntil: Date.UTC(2026, 2, 2, 9),
  expiredAt: Date.UTC(2026, 2, 3, 1),
}

test('audio that was deleted in its time is told as gone and when; what was never there is not found', async () => {
  const rows = new Map([
    ['r1', row],
    ['r2', { ...row, expiredAt: null }],
  ])
  const app = await openApi({
    ...{ meter: noMeter, clock: systemClock, log: silentLog, isCompany: () => true },
    keys: { verify: async () => ({ keyId: 'k', name: 'k', tenant: 'acme', role: 'owner' }) },
    idempotency: { begin: async () => ({ kind: 'new' }), finish: async () => undefined, forget: async () => undefined },
  })
  const recordings: Pick<Recordings, 'open' | 'get'> = { open: async () => null, get: async (_tenant, id) => rows.get(id) ?? null }
  recordingsApi(app, recordings as Recordings)
  const ask = (path: string) => app.inject({ url: `/v1/recordings/${path}`, headers: { authorization: 'Bearer k' } })
  const gone = await ask('r1/audio')
  assert.deepEqual([gone.statusCode, gone.json().code], [410, 'gone'])
  assert.match(gone.json().detail, /2026-03-03/)
  assert.deepEqual([(await ask('r2/audio')).statusCode, (await ask('r3/audio')).statusCode], [404, 404])
  const shown = (await ask('r1')).json()
  assert.deepEqual([shown.keepUntil, shown.expiredAt], [row.keepUntil, row.expiredAt])
  await app.close()
})
