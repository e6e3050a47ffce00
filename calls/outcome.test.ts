import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { best, inFull, isDead, isPassedOver, outcomeOf, refusalOf, tellingOf } from '#calls/outcome.ts'
import { q850Of, reasonOf } from '#calls/q850.ts'
import { causeOf, causeOfOutcome, causeOfStatus, causes } from '#contract/causes.ts'
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
  for (const cause of [1, 17, 19, 21, 22, 28]) assert.equal(isPassedOver(refused(503, `Q.850;cause=${cause}`)), false, String(cause))
  for (const cause of [2, 3, 34, 38, 41, 42, 44]) assert.equal(isPassedOver(refused(404, `Q.850;cause=${cause}`)), true, String(cause))
  assert.equal(isPassedOver(refused(603, 'Q.850;cause=34')), false, 'who was called said no')
  assert.equal(isPassedOver(refused(503, 'Q.850;cause=31')), true, 'a cause that says nothing leaves it to the status')
  assert.equal(isDead(refused(503, 'Q.850;cause=17')), false, 'busy is about one number')
  assert.equal(isDead(refused(503)), true)
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

test('busy, congestion, changed and unallocated numbers mean the same in SIP and in Q.850, both ways', () => {
  const table: [sip: number, q850: number, OutcomeKind][] = [
    [486, 17, 'busy'],
    [503, 34, 'overloaded'],
    [503, 42, 'overloaded'],
    [410, 22, 'wrong-number'],
    [404, 1, 'wrong-number'],
    [480, 19, 'no-answer'],
    [408, 18, 'no-answer'],
    [603, 21, 'rejected'],
    [484, 28, 'wrong-number'],
    [404, 3, 'unreachable'],
  ]
  for (const [sip, q850, kind] of table) {
    const heard = outcomeOf(refused(sip, `Q.850;cause=${q850}`))
    assert.deepEqual([heard.kind, heard.q850], [kind, q850], String(q850))
    assert.equal(causeOf(q850)?.sip, sip)
    const told = reasonOf(heard) ?? ''
    assert.equal(q850Of(told), q850)
    assert.equal(outcomeOf(refused(refusalOf(heard).status, told)).kind, kind, `${told} is read back as it was meant`)
  }
  assert.equal(causeOfStatus(486)?.q850, 17)
  assert.equal(causeOfStatus(480), null, '480 is said for anything')
  assert.equal(causeOfOutcome({ sip: 480, q850: 31 }), null)
  assert.equal(reasonOf({ kind: 'cancelled', by: 'caller' }), undefined)
  assert.equal(new Set(causes.map((cause) => cause.q850)).size, causes.length)
})

test('what a flow made of a ringing is told to the caller with its status and cause, and of nothing else', () => {
  const missed = { kind: 'wrong-number', by: 'callee', sip: 410, q850: 22, detail: '410 Gone' } as const
  assert.deepEqual(inFull({ kind: 'wrong-number', by: 'us' }, missed), { ...missed, by: 'us' })
  for (const other of [
    { kind: 'busy', by: 'callee' },
    { kind: 'wrong-number', by: 'us', sip: 404 },
  ] as const)
    assert.deepEqual(inFull(other, missed), other)
  assert.deepEqual(inFull({ kind: 'busy', by: 'callee' }, null), { kind: 'busy', by: 'callee' })
})

test('a caller is told by the status of who refused, but neither their challenge nor a gateway’s 5xx for a busy number', () => {
  const told = (status: number, cause?: number): string => {
    const headers = cause === undefined ? [] : [['Reason', `Q.850;cause=${cause}`] as const]
    const { status: sip, words } = tellingOf(outcomeOf(buildResponse(request, status, undefined, { headers })))
    return `${sip} ${words}`
  }
  assert.deepEqual([told(486), told(410), told(603), told(488)], ['486 Busy Here', '410 Gone', '603 Decline', '488 Not Acceptable Here'])
  assert.deepEqual([told(503, 17), told(500, 1), told(502, 22)], ['486 Busy Here', '404 Not Found', '404 Not Found'])
  assert.deepEqual([told(503, 34), told(503), told(502)], ['503 Service Unavailable', '503 Service Unavailable', '502 Bad Gateway'])
  assert.deepEqual(
    [told(401), told(407), told(302)].map((line) => line.slice(0, 3)).filter((line) => line < '402'),
    [],
  )
  assert.deepEqual(tellingOf({ kind: 'unreachable', by: 'nobody', detail: 'no phone is registered for 101' }), {
    status: 480,
    words: 'no phone is registered for 101',
  })
})
