import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#calls/call.ts'
import { Consultation } from '#calls/consultation.ts'
import type { Leg } from '#calls/leg.ts'
import { dial } from '#calls/outbound-leg.ts'
import { phone, step, Town } from '#calls/testing.ts'
import { ThreeWay } from '#calls/three-way.ts'

function dialled(town: Town, call: Call, id: string): Leg {
  const attempt = dial(call, phone(id), { ringMs: 30_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  town.invited(id).answer()
  return attempt.leg
}

/** A caller who talks with 100, who has asked 101. */
function consulting(endsWithHost = false) {
  const town = new Town()
  town.phones.set('101', { branches: [[phone('101')]] })
  town.numbers.set('101', { plan: { steps: [step(['101'], 10_000)] } })
  const { call, incoming, inbound } = town.calledIn()
  inbound.answer()
  const transferor = dialled(town, call, '100')
  const heard: string[] = []
  const consultation = new Consultation(
    call,
    { party: inbound.leg, transferor, to: '101', music: [{ kind: 'silence', ms: 100 }], ringback: [] },
    { onConnected: () => void heard.push('connected'), onAbandoned: () => void heard.push('abandoned') },
  )
  const meet = () => {
    const legs = consultation.release()
    if (legs === null) return null
    return new ThreeWay(
      call,
      legs,
      { endsWithHost },
      {
        onTwo: (one, other) => void heard.push(`${one.endpoint.id} with ${other.endpoint.id}`),
        onOver: (outcome) => void heard.push(`over: ${outcome.kind}`),
        onReplaced: (legs) => void heard.push(`now ${legs.map(({ endpoint }) => endpoint.id).join(' ')}`),
      },
    )
  }
  return { town, call, incoming, heard, meet, transferor }
}

test('three meet only when the third has answered; then all are in one room and nobody hears music', () => {
  const { town, meet, heard } = consulting()
  assert.equal(meet(), null)
  town.invited('101').answer()
  assert.notEqual(meet(), null)
  const rooms = new Set(town.endpoints.map(({ mixed }) => mixed?.room))
  assert.equal(rooms.size, 1)
  assert.ok(town.endpoints.every(({ playing }) => playing.size === 0))
  assert.deepEqual(
    town.factsOf('three-way.joined').map(({ legs }) => legs.length),
    [3],
  )
  assert.deepEqual(heard, [])
})

test('whoever leaves, the two others go on', () => {
  for (const [leaver, left] of [
    ['100', 'carrier with 101'],
    ['101', 'carrier with 100'],
    ['caller', '100 with 101'],
  ] as const) {
    const { town, meet, heard, incoming } = consulting()
    town.invited('101').answer()
    meet()
    const dialog = leaver === 'caller' ? incoming.dialog : town.invited(leaver).dialog
    dialog?.peerHangsUp()
    assert.deepEqual(heard, [left])
    assert.equal(town.factsOf('three-way.parted').length, 1)
  }
})

test('it ends for all when the host leaves, where that was asked for', () => {
  const { town, meet, heard } = consulting(true)
  town.invited('101').answer()
  meet()
  town.invited('100').dialog?.peerHangsUp()
  assert.deepEqual(heard, ['over: answered'])
})

test('a phone that takes the place of another is one of the three from then on', () => {
  const { town, call, meet, heard, transferor } = consulting()
  town.invited('101').answer()
  const three = meet()
  assert.equal(three?.replace(transferor, dialled(town, call, '102')), true)
  assert.deepEqual(heard, ['now carrier 102 101'])
  assert.notEqual(town.invited('100').dialog?.ended, undefined)
})
