import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { Town } from '#calls/testing.ts'
import type { Fact } from '#contract/facts.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { LiveCalls } from '#server/calls/live-calls.ts'
import { recallBeginnings } from '#server/calls/recall-beginnings.ts'

const started: Fact = {
  kind: 'call.started',
  ...{ tenant: 'acme', call: 'c1', seq: 1, at: 1_000, direction: 'inbound', config: 1 },
  from: { number: '+37120000001' },
  to: { number: '+37160000100' },
}
const recovered: Fact = { kind: 'call.recovered', tenant: 'acme', call: 'c1', seq: 7, at: 9_000, downMs: 500 }

function afterARestart() {
  const live = new LiveCalls()
  live.add(new Town().call())
  const log = new CallLog()
  log.hear(recovered)
  const told: string[] = []
  const needs = { calls: [{ tenant: 'acme', call: 'c1' }], live, log, events: { resync: (tenant: string) => told.push(tenant) } }
  return { log, told, needs: { ...needs, trouble: silentLog } }
}

test('a call whose beginning only the database has is shown from its beginning, and its company looks again', async () => {
  const { log, told, needs } = afterARestart()
  assert.equal(log.row('acme', 'c1'), null)
  await recallBeginnings({ ...needs, history: { timeline: () => Promise.resolve([started, recovered]) } })
  assert.deepEqual(
    log.facts('acme', 'c1')?.map((fact) => fact.seq),
    [1, 7],
  )
  assert.equal(log.row('acme', 'c1')?.recovered, true)
  assert.deepEqual(told, ['acme'])
})

test('a database that is away is asked again the next time, and a call known from its beginning is not asked for', async () => {
  const { log, needs } = afterARestart()
  await recallBeginnings({ ...needs, history: { timeline: () => Promise.reject(new Error('away')) } })
  assert.equal(log.hasBeginning('acme', 'c1'), false)
  let asked = 0
  const history = { timeline: () => Promise.resolve(++asked > 0 ? [started] : []) }
  await recallBeginnings({ ...needs, history })
  await recallBeginnings({ ...needs, history })
  assert.equal(asked, 1)
})

test('facts of another company or call never become part of a story', async () => {
  const { log, needs } = afterARestart()
  await recallBeginnings({ ...needs, history: { timeline: () => Promise.resolve([{ ...started, tenant: 'other' }]) } })
  assert.equal(log.row('acme', 'c1'), null)
})
