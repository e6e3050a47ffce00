import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adoptCall, isKeptCall } from '#calls/adopt.ts'
import { Bridge } from '#calls/bridge.ts'
import { dial } from '#calls/outbound-leg.ts'
import { Recording } from '#calls/record.ts'
import { audio, phone, Town } from '#calls/testing.ts'
import type { Leg } from '#calls/leg.ts'

const hung = { kind: 'completed', by: 'us' } as const
const settled = () => new Promise<void>((done) => queueMicrotask(done))

/** A caller and a phone that talk. */
function talking() {
  const town = new Town()
  const { call, incoming, inbound } = town.calledIn()
  inbound.answer()
  const attempt = dial(call, phone('100'), { near: inbound.leg, ringMs: 30_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  const callee = town.invited('100').answer()
  const parted: string[] = []
  const bridge = new Bridge(call, [inbound.leg, attempt.leg], [{ kind: 'file', file: 'music.wav' }], {
    onParted: (left: Leg, _remaining: Leg, outcome) => void parted.push(`${left.endpoint.id} ${outcome.kind}`),
    onReferral: () => undefined,
    onReplaced: () => undefined,
  })
  const [near, far] = town.endpoints
  assert.ok(near !== undefined && far !== undefined && incoming.dialog !== null)
  return { town, call, inbound, caller: incoming.dialog, callee, leg: attempt.leg, bridge, parted, near, far }
}

test('a bridge joins the media of its legs, and parts once when one of them leaves', () => {
  const { town, near, far, callee, parted, bridge } = talking()
  assert.equal(near.peer, far)
  callee.peerHangsUp()
  bridge.close()
  assert.deepEqual(parted, ['100 answered'])
  assert.equal(near.peer, null)
  assert.equal(town.factsOf('bridge.parted').length, 1)
})

test('who is put on hold hears music, until taken back', () => {
  const { near, far, callee } = talking()
  callee.peerOffers(audio('sendonly', 41_000))
  callee.peerOffers(audio('inactive', 41_000))
  assert.deepEqual([...near.playing.values()], [[{ kind: 'file', file: 'music.wav' }]])
  assert.equal(far.playing.size, 0)
  callee.peerOffers(audio('sendrecv', 41_000))
  assert.equal(near.playing.size, 0)
})

test('a call ends once: parts before legs, every leg with BYE, nothing left of it in the journal', async () => {
  const { town, call, caller, callee } = talking()
  await settled()
  assert.equal(town.kept.has('call/c1'), true)
  let ends = 0
  call.ended.on(() => void ends++)
  call.end(hung)
  call.end({ kind: 'failed', by: 'us' })
  assert.deepEqual([caller.ended, callee.ended, ends], [null, null, 1])
  assert.deepEqual(town.story.slice(-4), ['bridge.parted', 'leg.ended', 'leg.ended', 'call.ended'])
  await settled()
  assert.equal(town.kept.size, 0)
  assert.ok(town.endpoints.every((endpoint) => endpoint.closed))
  assert.equal(town.clock.pending, 0)
})

test('a call that reaches its longest time is ended', () => {
  const { town, call } = talking()
  call.limit(60_000, { kind: 'too-long', by: 'us' })
  town.clock.advance(60_000)
  assert.equal(call.outcome?.kind, 'too-long')
})

test('a recording goes to the archive when its file is complete, even after the call', () => {
  const { town, call, inbound, near } = talking()
  Recording.start(call, inbound.leg, { id: 'r1', mailTo: ['a@b.example'], keepDays: 30 })
  assert.deepEqual(near.recordings, ['acme/r1.ogg'])
  assert.equal(call.recordings.size, 1)
  call.end(hung)
  assert.deepEqual(
    town.finished.map(({ recording, mailTo, ms, keepDays }) => [recording, mailTo, ms, keepDays]),
    [['r1', ['a@b.example'], 3_000, 30]],
  )
  assert.equal(town.factsOf('recording.ended').length, 1)
})

test('a recording that goes over to another policy is sent to all, and kept as long as the one that keeps it longest', () => {
  const { town, call, inbound } = talking()
  const recording = Recording.start(call, inbound.leg, { id: 'r1', mailTo: ['a@b.example'], keepDays: 7 })
  recording.widen({ mailTo: ['a@b.example', 'c@d.example'], keepDays: 3_650 })
  assert.deepEqual(
    [...call.recordings.values()].map(({ mailTo, keepDays }) => [mailTo, keepDays]),
    [[['a@b.example', 'c@d.example'], 3_650]],
  )
  recording.widen({ mailTo: [] })
  recording.widen({ mailTo: [], keepDays: 1 })
  call.end(hung)
  assert.deepEqual(
    town.finished.map(({ mailTo, keepDays }) => [mailTo, keepDays]),
    [[['a@b.example', 'c@d.example'], undefined]],
  )
})

test('a recorder that fails is a fact, and the call goes on', () => {
  const { town, call, inbound, near } = talking()
  const recording = Recording.start(call, inbound.leg, { id: 'r1', mailTo: [] })
  near.events.onRecordFailed?.('acme/r1.ogg', 'no space left')
  assert.deepEqual(
    town.factsOf('recording.failed').map((fact) => fact.why),
    ['no space left'],
  )
  assert.equal(call.outcome, null)
  assert.equal(call.recordings.size, 0)
  assert.equal(recording.isOn, false)
})

test('what was kept of a talking call is enough for another life of the server to go on with it', async () => {
  const before = talking()
  Recording.start(before.call, before.inbound.leg, { id: 'r1', mailTo: [], keepDays: 30 })
  before.call.story = { kind: 'bridge' }
  await settled()
  const kept: unknown = JSON.parse(JSON.stringify(before.town.kept.get('call/c1')))
  assert.ok(isKeptCall(kept))
  const town = new Town()
  const call = adoptCall(town.needs, kept, 1_200)
  assert.deepEqual(
    call.legs.map((leg) => [leg.id, leg.state, leg.endpoint.id]),
    [
      ['c1.1', 'talking', 'carrier'],
      ['c1.2', 'talking', '100'],
    ],
  )
  assert.deepEqual(town.story, ['call.recovered'], 'nobody is answered twice')
  assert.deepEqual(
    [...call.recordings.values()].map(({ id, keepDays }) => [id, keepDays]),
    [['r1', 30]],
  )
  assert.deepEqual(call.story, { kind: 'bridge' })
  assert.equal(call.nextLegId(), 'c1.3', 'leg ids go on')
  town.adopted[0]?.peerHangsUp()
  assert.equal(call.legs.length, 1)
})

test('what another version of this program had kept is not taken for a call', () => {
  for (const value of [null, 'call', {}, { identity: {}, legs: {}, recordings: [], startedAt: 1 }]) assert.equal(isKeptCall(value), false)
})
