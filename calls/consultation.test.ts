import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bridge } from '#calls/bridge.ts'
import { Call } from '#calls/call.ts'
import { Consultation } from '#calls/consultation.ts'
import { joinTalks, talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { dial } from '#calls/outbound-leg.ts'
import { phone, step, Town } from '#calls/testing.ts'

function dialled(town: Town, call: Call, id: string): Leg {
  const attempt = dial(call, phone(id), { ringMs: 30_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  town.invited(id).answer()
  return attempt.leg
}

/** A caller who talks with 100, who asks 101 first. */
function consulting() {
  const town = new Town()
  for (const id of ['100', '101']) town.phones.set(id, { branches: [[phone(id)]] })
  town.numbers.set('101', { plan: { steps: [step(['101'], 10_000)] } })
  const { call, incoming, inbound } = town.calledIn()
  inbound.answer()
  const transferor = dialled(town, call, '100')
  const heard: string[] = []
  const music = [{ kind: 'file', file: 'music.wav' }] as const
  const ringback = [{ kind: 'tone', tone: 'ringback' }] as const
  const parts = { party: inbound.leg, transferor, to: '101', music, ringback }
  const consultation = new Consultation(call, parts, {
    onConnected: (one, other) => void heard.push(`${one.endpoint.id} with ${other.endpoint.id}`),
    onAbandoned: (_, outcome) => void heard.push(`abandoned: ${outcome.kind}`),
  })
  const [party, asker] = town.endpoints
  assert.ok(party !== undefined && asker !== undefined && incoming.dialog !== null)
  const plays = (): (string | undefined)[] =>
    [party, asker].map((endpoint) => {
      const [item] = [...endpoint.playing.values()].flat()
      return item?.kind
    })
  return { town, call, consultation, heard, plays, caller: incoming.dialog, asker, party }
}

test('the party hears music, the transferor ringback, then the target; completing connects the two and lets the transferor go', () => {
  const { town, consultation, heard, plays, asker } = consulting()
  assert.deepEqual(plays(), ['file', undefined])
  town.invited('101').ring()
  assert.deepEqual(plays(), ['file', 'tone'])
  town.invited('101').answer()
  assert.deepEqual(plays(), ['file', undefined])
  assert.ok(asker.peer !== null)
  consultation.complete()
  assert.deepEqual(heard, ['carrier with 101'])
  assert.deepEqual(plays(), [undefined, undefined])
  assert.equal(town.invited('100').dialog?.ended, null)
  assert.deepEqual(
    town.factsOf('transfer.completed').map(({ to, attended }) => [to, attended]),
    [['101', true]],
  )
})

test('cancelling lets the target go and brings the transferor back, whether it rings or talks', () => {
  for (const answered of [false, true]) {
    const { town, consultation, heard, plays } = consulting()
    if (answered) town.invited('101').answer()
    consultation.cancel()
    assert.deepEqual([heard, plays()], [['carrier with 100'], [undefined, undefined]])
    assert.ok(answered ? town.invited('101').dialog?.ended === null : town.invited('101').cancelled === null)
  }
})

test('a target that is busy, or does not answer, brings the transferor back', () => {
  const busy = consulting()
  busy.town.invited('101').refuse(486)
  assert.deepEqual(busy.heard, ['carrier with 100'])
  const silent = consulting()
  silent.town.clock.advance(10_000)
  assert.deepEqual(silent.heard, ['carrier with 100'])
})

test('a transferor who hangs up has connected the two, also when the target answers only later', () => {
  const talking = consulting()
  talking.town.invited('101').answer()
  talking.town.invited('100').dialog?.peerHangsUp()
  assert.deepEqual(talking.heard, ['carrier with 101'])
  const ringing = consulting()
  ringing.town.invited('100').dialog?.peerHangsUp()
  assert.deepEqual(ringing.plays()[0], 'tone')
  ringing.town.invited('101').answer()
  assert.deepEqual(ringing.heard, ['carrier with 101'])
})

test('a transferor who has hung up is rung again when nobody answers; when it is not there, the party is told', () => {
  const { town, heard } = consulting()
  town.invited('100').dialog?.peerHangsUp()
  town.clock.advance(10_000)
  town.invited('100').answer()
  assert.deepEqual(heard, ['carrier with 100'])
  const other = consulting()
  other.town.invited('100').dialog?.peerHangsUp()
  other.town.clock.advance(31_000)
  assert.deepEqual(other.heard, ['abandoned: no-answer'])
})

test('of the three, whoever leaves, the other two talk on', () => {
  const party = consulting()
  party.town.invited('101').answer()
  party.caller.peerHangsUp()
  assert.deepEqual(party.heard, ['100 with 101'])
  const target = consulting()
  target.town.invited('101').answer().peerHangsUp()
  assert.deepEqual(target.heard, ['carrier with 100'])
})

test('a party who leaves while the target rings ends it all', () => {
  const { town, call, caller, heard } = consulting()
  caller.peerHangsUp()
  assert.deepEqual([heard, town.invited('101').cancelled, call.outcome?.kind, town.clock.pending], [[], null, 'answered', 0])
})

/** 100 talks with a caller from outside in one call and with 101 in another. */
function twoCalls() {
  const town = new Town()
  const { call, inbound } = town.calledIn()
  inbound.answer()
  const events = { onParted: () => undefined, onReferral: () => undefined, onReplaced: () => undefined }
  const mine = dialled(town, call, '100')
  new Bridge(call, [inbound.leg, mine], [], events)
  const inside = new Call(town.needs, { ...call.identity, call: 'c2', asker: { kind: 'device', id: '100', number: '100' } })
  const asking = dialled(town, inside, '102')
  const asked = dialled(town, inside, '101')
  new Bridge(inside, [asking, asked], [], events)
  return { town, call, inside, outsider: inbound.leg, mine, asking, asked }
}

test('joining two calls leaves the one from outside, with its caller and the one who was asked', () => {
  const { town, call, inside, outsider, mine, asking, asked } = twoCalls()
  const [one, other] = [talkOf(asking), talkOf(mine)]
  assert.ok(one !== null && other !== null)
  const joined = joinTalks(one, other)
  assert.equal(joined.call, call)
  assert.deepEqual(joined.legs, [outsider, asked])
  assert.deepEqual([call.legs, inside.legs], [[outsider, asked], []])
  assert.deepEqual([asked.call, asked.role, inside.outcome?.kind, call.outcome], [call, 'callee', 'transferred', null])
  assert.deepEqual([mine.outcome?.kind, asking.outcome?.kind], ['transferred', 'transferred'])
  assert.deepEqual(
    town.facts.filter((fact) => fact.kind === 'call.joined').map((fact) => fact.call),
    ['c2'],
  )
  asked.hangUp({ kind: 'completed', by: 'us' })
  assert.equal(town.facts.at(-1)?.call, 'c1')
})
