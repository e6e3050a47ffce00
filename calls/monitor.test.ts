import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bridge } from '#calls/bridge.ts'
import { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import { Monitor } from '#calls/monitor.ts'
import { dial } from '#calls/outbound-leg.ts'
import { type FakeEndpoint, phone, Town } from '#calls/testing.ts'

function dialled(town: Town, call: Call, id: string): Leg {
  const attempt = dial(call, phone(id), { ringMs: 30_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  town.invited(id).answer()
  return attempt.leg
}

/** A caller who talks with 100, and the supervisor 200, whose phone has been answered in a call of its own. */
function listenedTo(tone = false, forbidden?: string) {
  const town = new Town()
  const { call, inbound } = town.calledIn()
  inbound.answer()
  const agent = dialled(town, call, '100')
  const talk = () =>
    new Bridge(call, [inbound.leg, agent], [], { onParted: () => undefined, onReferral: () => undefined, onReplaced: () => undefined })
  const bridge = talk()
  const own = new Call(town.needs, { ...call.identity, call: 'c2' })
  const supervisor = dialled(town, own, '200')
  const monitor = new Monitor({ supervisor, agent, mode: 'listen', tone, allows: (mode) => mode !== forbidden })
  const [customer, agentEnd, end] = town.endpoints as [FakeEndpoint, FakeEndpoint, FakeEndpoint]
  return { town, call, own, bridge, talk, monitor, supervisor, agent, customer, agentEnd, end }
}

test('who listens is heard by nobody, who whispers by the agent alone, who barges in by both; each change is told', () => {
  const { town, monitor, supervisor, customer, agentEnd, end } = listenedTo()
  assert.equal(customer.mixed?.room, end.mixed?.room)
  assert.equal(agentEnd.mixed?.room, end.mixed?.room)
  assert.deepEqual(end.mixed?.terms, { speaks: 0 })
  monitor.change('whisper')
  assert.deepEqual(end.mixed?.terms, { heardBy: [agentEnd.id] })
  supervisor.digit('6', 'rtp')
  assert.deepEqual(end.mixed?.terms, {})
  supervisor.digit('4', 'rtp')
  assert.deepEqual(end.mixed?.terms, { speaks: 0 })
  supervisor.digit('9', 'rtp')
  assert.deepEqual(
    town.factsOf('monitor.changed').map(({ mode, call, by }) => [mode, call, by]),
    [
      ['whisper', 'c1', '200'],
      ['barge', 'c1', '200'],
      ['listen', 'c1', '200'],
    ],
  )
})

test('when the supervisor leaves, the two are joined again and talk on', () => {
  const { town, call, own, customer, agentEnd } = listenedTo()
  town.invited('200').dialog?.peerHangsUp()
  assert.equal(customer.peer, agentEnd)
  assert.notEqual(own.outcome, null)
  assert.equal(call.outcome, null)
  assert.deepEqual(
    town.factsOf('monitor.ended').map((fact) => [fact.call, fact.by]),
    [['c1', '200']],
  )
})

test('a second supervisor keeps the room open until both have left', () => {
  const { town, own, agent, customer, agentEnd } = listenedTo()
  const another = new Call(town.needs, { ...own.identity, call: 'c3' })
  new Monitor({ supervisor: dialled(town, another, '201'), agent, mode: 'barge', tone: false, allows: () => true })
  own.end({ kind: 'completed', by: 'us' })
  assert.notEqual(customer.mixed, null)
  another.end({ kind: 'completed', by: 'us' })
  assert.equal(customer.peer, agentEnd)
})

test('while the agent talks with nobody the supervisor waits, and comes along into the next conversation', () => {
  const { town, own, bridge, talk, monitor, customer, end } = listenedTo()
  const isOut = () => end.mixed === null
  bridge.close()
  assert.ok(isOut())
  monitor.change('barge')
  assert.ok(isOut())
  talk()
  monitor.attend()
  assert.equal(end.mixed?.room, customer.mixed?.room)
  assert.deepEqual(end.mixed?.terms, {})
  town.invited('100').dialog?.peerHangsUp()
  assert.equal(own.outcome?.kind, 'completed')
})

test('an agent who is to be told hears a tone when the supervisor comes, and when it may be heard otherwise', () => {
  const { town, monitor, agentEnd } = listenedTo(true)
  const tones = () => [...agentEnd.playing.values()].flat().length
  assert.equal(tones(), 1)
  agentEnd.playing.clear()
  monitor.change('barge')
  assert.equal(tones(), 1)
  assert.equal(town.factsOf('monitor.started')[0]?.told, true)
})

test('a mode that the policy does not give is not taken', () => {
  const { monitor, supervisor, end } = listenedTo(false, 'barge')
  supervisor.digit('6', 'rtp')
  assert.equal(monitor.mode, 'listen')
  assert.deepEqual(end.mixed?.terms, { speaks: 0 })
})
