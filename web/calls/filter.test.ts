import assert from 'node:assert/strict'
import { test } from 'node:test'
import { begin } from '#web/calls/advance.ts'
import { matches } from '#web/calls/filter.ts'

const call = begin('c1', {
  kind: 'call.started',
  tenant: 'demo',
  at: 0,
  seq: 1,
  direction: 'inbound',
  from: { number: '+48600000000', name: 'Łukasz Żak' },
  to: { number: '100' },
  config: 1,
})

test('a call is found by a part of a number, a name without its accents, or a word that is shown of it', () => {
  for (const filter of ['6000', 'lukasz', 'ZAK', 'missed', 'zak 100']) assert.ok(matches(call, filter, 'Missed'), filter)
})

test('every word of the filter must be there', () => {
  assert.equal(matches(call, 'zak 777', 'Missed'), false)
})
