import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ring } from '#calls/ring.ts'
import { phone, step, Town } from '#calls/testing.ts'

/** Somebody calls 100, whose phone sends calls on; 101 and 102 may be reached. */
function ringing(ids = ['100']) {
  const town = new Town()
  for (const id of ['100', '101', '102', '103', '104', '105', '106']) {
    town.phones.set(id, { branches: [[phone(id)]] })
    town.numbers.set(id, { plan: { steps: [step([id])] } })
  }
  const { call, inbound } = town.calledIn()
  const heard: string[] = []
  new Ring(call, { steps: [step(ids)] }, inbound.leg, {
    onRinging: () => undefined,
    onAnswered: (leg) => void heard.push(`answered ${leg.endpoint.id}`),
    onUnanswered: (outcome) => void heard.push(`${outcome.kind}: ${outcome.detail}`),
  })
  const sendOn = (from: string, ...contacts: string[]): void =>
    town.invited(from).refuse(
      302,
      contacts.map((contact) => ['Contact', contact] as const),
    )
  return { town, heard, sendOn }
}

test('a phone that sends calls on has them rung elsewhere; who answers there has the call', () => {
  const { town, heard, sendOn } = ringing()
  sendOn('100', '<sip:101@office.test>')
  town.invited('101').answer()
  assert.deepEqual(heard, ['answered 101'])
  assert.deepEqual(
    town.factsOf('leg.redirected').map(({ to, followed }) => [to, followed]),
    [[['101'], true]],
  )
})

test('of several Contacts the most wanted that may be had is taken', () => {
  const { town, sendOn } = ringing()
  sendOn('100', '<sip:101@x>;q=0.2', '<sip:999@x>;q=0.9', '<sip:102@x>;q=0.5')
  assert.equal(town.invites.length, 2)
  assert.ok(town.invited('102'))
})

test('a loop is not followed: the ring ends and says so', () => {
  const { town, heard, sendOn } = ringing()
  sendOn('100', '<sip:101@x>')
  sendOn('101', '<sip:100@x>')
  assert.equal(town.invites.length, 2)
  assert.deepEqual(heard, ['unreachable: 101 forwards to 100: a loop'])
  assert.deepEqual(
    town.factsOf('leg.redirected').map(({ followed, why }) => [followed, why]),
    [
      [true, undefined],
      [false, 'a loop'],
    ],
  )
})

test('after five forwards nobody else is rung', () => {
  const { town, heard, sendOn } = ringing()
  for (let at = 100; at < 106; at++) sendOn(String(at), `<sip:${at + 1}@x>`)
  assert.equal(town.invites.length, 6)
  assert.match(heard[0] ?? '', /more than 5 forwards/)
})

test('while others ring in the same step, a forward rings beside them, for as long as the step lasts', () => {
  const { town, heard, sendOn } = ringing(['100', '102'])
  sendOn('100', '<sip:101@x>')
  assert.equal(town.invites.length, 3)
  town.clock.advance(15_000)
  assert.equal(town.invited('101').cancelled, null)
  assert.match(heard[0] ?? '', /^no-answer/)
})

test('Contacts without a number, or none at all, end the attempt', () => {
  for (const contacts of [[], ['<sip:office.test>'], ['nonsense']]) {
    const { heard, sendOn } = ringing()
    sendOn('100', ...contacts)
    assert.equal(heard.length, 1)
  }
})
