import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leg } from '#calls/leg.ts'
import { dial } from '#calls/outbound-leg.ts'
import { phone, step, Town } from '#calls/testing.ts'
import { BlindTransfer, type Onward } from '#calls/transfer.ts'

/** A caller who talks with 100, who asks that the caller be connected to 101. */
function referred(options: { to?: string; onwards?: Onward[] } = {}) {
  const onwards = [...(options.onwards ?? [])]
  const town = new Town()
  for (const id of ['100', '101', '102']) town.phones.set(id, { branches: [[phone(id)]] })
  town.numbers.set('101', { plan: { steps: [step(['101'], 10_000)] } })
  const { call, incoming, inbound } = town.calledIn()
  inbound.answer()
  const attempt = dial(call, phone('100'), { ringMs: 30_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  const transferor = town.invited('100').answer()
  const heard: string[] = []
  const party = inbound.leg
  attempt.leg.onReferral.on((referral) => {
    new BlindTransfer(call, { party, transferor: attempt.leg }, referral, {
      onConnected: (one, target) => void heard.push(`${one.endpoint.id} with ${target.endpoint.id}`),
      onReturned: (_, back, outcome) => void heard.push(`back to ${back?.endpoint.id ?? 'nobody'}: ${outcome.kind}`),
      onward: () => onwards.shift() ?? null,
    })
  })
  assert.equal(transferor.peerRequests('REFER', [['Refer-To', `<sip:${options.to ?? '101'}@x>`]]), 202)
  const [ears] = town.endpoints
  assert.ok(ears !== undefined && incoming.dialog !== null)
  return { town, call, caller: incoming.dialog, transferor, heard, ears, told: () => transferor.requests.map(({ body }) => body) }
}

test('the party hears ringback while the target rings; when it answers, the transferor is told and let go', () => {
  const { town, transferor, heard, ears, told } = referred()
  assert.equal(ears.playing.size, 1)
  town.invited('101').ring()
  town.invited('101').answer()
  assert.equal(ears.playing.size, 0)
  assert.deepEqual(told(), ['SIP/2.0 100 Trying', 'SIP/2.0 180 Ringing', 'SIP/2.0 200 OK'])
  assert.equal(transferor.ended, null)
  assert.deepEqual(heard, ['carrier with 101'])
  assert.equal(town.factsOf('transfer.completed').length, 1)
  assert.equal(town.factsOf('leg.ended').at(-1)?.outcome.kind, 'transferred')
})

test('when the target is busy the party goes back to the transferor, who is still there', () => {
  const { town, transferor, heard, told } = referred()
  town.invited('101').refuse(486)
  assert.equal(told().at(-1), 'SIP/2.0 486 Busy Here')
  assert.deepEqual(heard, ['back to 100: busy'])
  assert.equal(transferor.ended, undefined)
})

test('a target that nobody takes gives way to the next, and then to what takes the party as it is; only then is the transferor let go', () => {
  const taken: string[] = []
  const onwards = [{ plan: { steps: [step(['102'], 10_000)] } }, { take: (party: Leg) => void taken.push(party.endpoint.id) }]
  const { town, transferor, heard, ears, told } = referred({ onwards })
  town.invited('101').refuse(486)
  town.invited('102').ring()
  assert.deepEqual([transferor.ended, ears.playing.size], [undefined, 1])
  town.clock.advance(10_000)
  assert.deepEqual([taken, heard, ears.playing.size], [['carrier'], [], 0])
  assert.equal(told().at(-1), 'SIP/2.0 200 OK')
  assert.equal(transferor.ended, null)
  assert.equal(town.factsOf('transfer.failed').length, 0)
  assert.equal(town.clock.pending, 0)
})

test('a transferor who has hung up is rung again when nobody took the call', () => {
  const { town, transferor, heard, ears } = referred()
  transferor.peerHangsUp()
  town.clock.advance(10_000)
  assert.equal(ears.playing.size, 1, 'the party hears that it rings')
  town.invited('100').answer()
  assert.deepEqual(heard, ['back to 100: no-answer'])
  assert.equal(ears.playing.size, 0)
})

test('when the transferor does not come back either, the owner is left with the party alone', () => {
  const { town, transferor, heard } = referred()
  transferor.peerHangsUp()
  town.clock.advance(30_000)
  assert.deepEqual(heard, ['back to nobody: no-answer'])
})

test('a number that does not exist fails the transfer at once', () => {
  const { town, heard, told } = referred({ to: '999' })
  assert.match(told().at(-1) ?? '', /^SIP\/2.0 404 /)
  assert.deepEqual(heard, ['back to 100: wrong-number'])
  assert.equal(town.factsOf('transfer.failed').length, 1)
})

test('a party who hangs up during the transfer ends it: nobody rings any more', () => {
  const { town, call, caller, transferor } = referred()
  caller.peerHangsUp()
  assert.equal(town.invited('101').cancelled, null)
  assert.equal(transferor.ended, null)
  assert.equal(call.outcome?.kind, 'answered')
  assert.equal(town.clock.pending, 0)
})
