import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { best, isPassedOver, outcomeOf, refusalOf } from '#calls/outcome.ts'
import { q850Of } from '#calls/q850.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipResponse } from '#sip/message/message.ts'

const request = buildRequest({ method: 'INVITE', uri: 'sip:a@b', headers: [] })
const refused = (status: number, reason?: string): SipResponse =>
  buildResponse(request, status, undefined, { headers: reason === undefined ? [] : [['Reason', reason]] })

test('each SIP status has one meaning, and says whose doing it was', () => {
  const table: [number, OutcomeKind, string][] = [
    [302, 'unreachable', 'nobody'],
    [403, 'rejected', 'callee'],
    [404, 'wrong-number', 'caller'],
    [408, 'no-answer', 'callee'],
    [480, 'unreachable', 'nobody'],
    [484, 'wrong-number', 'caller'],
    [486, 'busy', 'callee'],
    [487, 'cancelled', 'caller'],
    [488, 'failed', 'carrier'],
    [500, 'failed', 'carrier'],
    [503, 'overloaded', 'carrier'],
    [600, 'busy', 'callee'],
    [603, 'rejected', 'callee'],
    [604, 'wrong-number', 'caller'],
    [607, 'rejected', 'callee'],
  ]
  for (const [status, kind, by] of table) {
    const outcome = outcomeOf(refused(status))
    assert.deepEqual([outcome.kind, outcome.by, outcome.sip], [kind, by, status], String(status))
  }
})

test('a Q.850 cause says it better than the status that a gateway made of it', () => {
  assert.deepEqual(outcomeOf(refused(480, 'Q.850;cause=17;text="User busy"')), {
    kind: 'busy',
    by: 'callee',
    sip: 480,
    q850: 17,
    detail: '480 Temporarily Unavailable',
  })
  assert.equal(outcomeOf(refused(503, 'Q.850;cause=1')).kind, 'wrong-number')
  assert.equal(outcomeOf(refused(486, 'Q.850;cause=127')).kind, 'busy', 'a cause that says nothing leaves it to the status')
  assert.equal(outcomeOf(refused(487, 'SIP;cause=200, Q.850 ;text="x" ; cause=19')).kind, 'no-answer')
})

test('the cause is read from any Reason header without a fault, and is 1 to 127 or nothing', () => {
  assert.equal(q850Of('SIP;cause=17'), null)
  assert.equal(q850Of('Q.850;cause=0'), null)
  assert.equal(q850Of('Q.850;cause=128'), null)
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cause = q850Of(text)
      return cause === null || (cause >= 1 && cause <= 127)
    }),
  )
})

test('silence is no answer after ringing, and unreachable when nothing at all came back', () => {
  assert.equal(outcomeOf({ kind: 'unanswered', why: 'too-long', detail: '' }).kind, 'no-answer')
  assert.equal(outcomeOf({ kind: 'unanswered', why: 'timeout', detail: '' }).kind, 'unreachable')
  assert.equal(outcomeOf({ kind: 'unanswered', why: 'transport', detail: '' }).kind, 'unreachable')
})

test('another trunk is tried where nobody was asked, not where somebody said no', () => {
  for (const status of [408, 500, 502, 503, 504]) assert.equal(isPassedOver(refused(status)), true, String(status))
  for (const status of [403, 404, 480, 486, 487, 600, 603]) assert.equal(isPassedOver(refused(status)), false, String(status))
  assert.equal(isPassedOver({ kind: 'unanswered', why: 'transport', detail: '' }), true)
  assert.equal(isPassedOver({ kind: 'unanswered', why: 'too-long', detail: '' }), false)
})

test('of several attempts the caller is told the one that came nearest to an answer', () => {
  const of = (kind: OutcomeKind) => ({ kind, by: 'callee' }) as const
  assert.equal(best([of('unreachable'), of('busy'), of('wrong-number')]).kind, 'busy')
  assert.equal(best([of('busy'), of('no-answer')]).kind, 'no-answer')
  assert.equal(best([]).kind, 'unreachable')
})

test('what a caller is told on the wire means the same when it is read back', () => {
  for (const kind of ['busy', 'rejected', 'cancelled', 'unreachable', 'wrong-number', 'overloaded', 'failed'] as const) {
    assert.equal(outcomeOf(refused(refusalOf({ kind, by: 'us' }).status)).kind, kind)
  }
})
