import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointRef, Fact } from '#contract/facts.ts'
import { timelineText } from '#tools/lib/timeline.ts'

const trunk: EndpointRef = { kind: 'trunk', id: 'carrier', number: '+74957654321', name: 'Carrier' }
const phone: EndpointRef = { kind: 'device', id: 'desk', number: '102', name: 'Anna' }
const at = 1_700_000_000_000
const fact = (ms: number, body: object): Fact => ({ at: at + ms, tenant: 'demo', call: 'c', seq: 1, ...body }) as Fact

test('a call is told a sentence a line, in seconds since it began, its parties by name', () => {
  const lines = timelineText([
    fact(0, { kind: 'call.started', direction: 'inbound', from: { number: '+74957654321' }, to: { number: '+74950000100' }, config: 3 }),
    fact(1, { kind: 'leg.started', leg: 'l1', role: 'caller', endpoint: trunk, sip: 's1' }),
    fact(20, { kind: 'leg.answered', leg: 'l1' }),
    fact(1_020, { kind: 'prompt.played', prompt: 'welcome', ms: 900, whole: false, text: 'Hello' }),
    fact(1_500, { kind: 'leg.started', leg: 'l2', role: 'callee', endpoint: phone, sip: 's2' }),
    fact(2_500, { kind: 'leg.answered', leg: 'l2' }),
    fact(9_500, { kind: 'call.ended', outcome: { kind: 'completed', by: 'caller' } }),
  ])
  assert.deepEqual(
    lines.map((line) => line.slice(0, 9).trim()),
    ['0.000', '0.020', '1.020', '1.500', '2.500', '9.500'],
  )
  assert.match(lines[0] ?? '', /\+74957654321 calls \+74950000100 \(configuration 3\)/)
  assert.match(lines[1] ?? '', /the caller is answered/)
  assert.match(lines[2] ?? '', /played "welcome".*not to its end: Hello/)
  assert.match(lines[3] ?? '', /102.* is called/)
  assert.match(lines[4] ?? '', /102.* answers/)
  assert.match(lines[5] ?? '', /the call is over: completed/)
})

test('of no facts nothing is told', () => {
  assert.deepEqual(timelineText([]), [])
})
