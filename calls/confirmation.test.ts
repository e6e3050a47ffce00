import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leg } from '#calls/leg.ts'
import { Ring } from '#calls/ring.ts'
import { audio, phone, Town, trunk } from '#calls/testing.ts'
import type { Outcome } from '#contract/outcome.ts'

const mobile = '+37129999999'

/** A mobile that must press 1, and a desk phone, ringing together for 15 s. */
function ringing() {
  const town = new Town()
  const charged: string[] = []
  const lease = () => ({ answered: () => void charged.push('answered'), passedOver: () => undefined, [Symbol.dispose]: () => undefined })
  town.phones.set(mobile, { branches: [[trunk('carrier', mobile, { lease })]] })
  town.phones.set('100', { branches: [[phone('100')]] })
  const heard: { by: Leg | null; outcome: Outcome | null; early: (Leg | null)[] } = { by: null, outcome: null, early: [] }
  const targets = [
    { kind: 'external', number: mobile, label: mobile, confirm: '1' } as const,
    { kind: 'device', id: '100', label: '100' } as const,
  ]
  const call = town.call()
  new Ring(call, { steps: [{ targets, ms: 15_000 }] }, null, {
    onRinging: (early) => void heard.early.push(early),
    onAnswered: (leg) => void (heard.by = leg),
    onUnanswered: (outcome) => void (heard.outcome = outcome),
  })
  const outside = town.invited(`${mobile}.carrier`)
  const answer = () => {
    const dialog = outside.answer()
    const leg = call.legs.find((each) => each.endpoint.kind === 'trunk')
    assert.ok(leg !== undefined)
    return { dialog, leg }
  }
  return { town, heard, outside, answer, charged }
}

test('who picks up outside is connected when they press the key, and not before', () => {
  const { town, heard, answer, charged } = ringing()
  const { leg } = answer()
  assert.equal(heard.by, null)
  assert.deepEqual(charged, ['answered'], 'the carrier charges from the pick-up')
  assert.deepEqual(
    town.factsOf('leg.asked').map((fact) => fact.key),
    ['1'],
  )
  leg.digit('2', 'rtp')
  assert.equal(heard.by, null)
  leg.digit('1', 'rtp')
  assert.equal(heard.by, leg)
  assert.equal(town.factsOf('leg.answered').length, 1)
  town.clock.advance(60_000)
  assert.equal(leg.state, 'talking')
})

test('a voicemail that picks up does not take the call from the others, and history says that it was not confirmed', () => {
  const { town, heard, answer } = ringing()
  const { leg, dialog } = answer()
  town.clock.advance(10_000)
  town.invited('100').answer()
  assert.equal(heard.by?.endpoint.id, '100')
  assert.equal(leg.outcome?.kind, 'answered-elsewhere')
  assert.notEqual(dialog.ended, undefined)
})

test('without the key the call goes on after a while, however long the step was', () => {
  const { town, heard, answer } = ringing()
  town.clock.advance(14_000)
  const { leg, dialog } = answer()
  town.clock.advance(2_000)
  assert.equal(town.factsOf('ring.ended').length, 0, 'who picked up late has time to press')
  town.clock.advance(18_000)
  assert.equal(leg.outcome?.kind, 'not-confirmed')
  assert.notEqual(dialog.ended, undefined)
  assert.equal(heard.outcome?.kind, 'no-answer', 'the desk phone rang in vain')
  assert.equal(town.factsOf('leg.answered').length, 0)
  assert.equal(town.clock.pending, 0)
})

test('who hangs up instead has not answered', () => {
  const { answer } = ringing()
  const { leg, dialog } = answer()
  dialog.peerHangsUp()
  assert.equal(leg.outcome?.kind, 'not-confirmed')
})

test('audio before the answer of somebody who must confirm is not passed on', () => {
  const { town, heard, outside } = ringing()
  town.invited('100').refuse(486)
  outside.ring(audio('sendrecv', 41_000))
  assert.deepEqual(heard.early, [null])
})
