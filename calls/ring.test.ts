import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { Destination, RingPlan } from '#calls/needs.ts'
import { Ring } from '#calls/ring.ts'
import { audio, phone, step, Town, trunk } from '#calls/testing.ts'
import type { Outcome } from '#contract/outcome.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

interface Heard {
  rang: (Leg | null)[]
  by: Leg | null
  outcome: Outcome | null
}

const elsewhere = /cause=200/

/** Rings a plan; `phones`: by device, parallel branches of alternatives. */
function ringing(plan: RingPlan, phones: Record<string, Destination[][]>, refused?: Outcome) {
  const town = new Town()
  for (const [id, branches] of Object.entries(phones)) town.phones.set(id, refused === undefined ? { branches } : { refused })
  const call = town.call()
  const heard: Heard = { rang: [], by: null, outcome: null }
  const ring = new Ring(call, plan, null, {
    onRinging: (early) => void heard.rang.push(early),
    onAnswered: (leg) => void (heard.by = leg),
    onUnanswered: (outcome) => void (heard.outcome = outcome),
  })
  return { town, call, ring, heard }
}

const each = (...ids: string[]) => Object.fromEntries(ids.map((id) => [id, [[phone(id)]]]))

test('targets of a step ring together; the first to answer wins, and the others are told it was answered elsewhere', () => {
  const { town, heard, call } = ringing({ steps: [step(['100', '101', '102'])] }, each('100', '101', '102'))
  assert.equal(town.invites.length, 3)
  town.invited('100').ring()
  town.invited('102').ring()
  assert.equal(heard.rang.length, 2)
  town.invited('101').answer()
  assert.equal(heard.by?.endpoint.id, '101')
  assert.match(town.invited('100').cancelled ?? '', elsewhere)
  assert.match(town.invited('102').cancelled ?? '', elsewhere)
  const ended = town.factsOf('leg.ended')
  assert.deepEqual(
    ended.map((fact) => fact.outcome.kind),
    ['answered-elsewhere', 'answered-elsewhere'],
  )
  assert.deepEqual(
    town.factsOf('ring.ended').map((fact) => fact.outcome.kind),
    ['answered'],
  )
  assert.equal(call.legs.length, 1)
})

test('an answer that crosses our CANCEL is acknowledged and ended', () => {
  const { town } = ringing({ steps: [step(['100', '101'])] }, each('100', '101'))
  town.invited('100').answer()
  const late = town.invited('101').answer()
  assert.equal(late.acknowledged, 1)
  assert.match(late.ended ?? '', elsewhere)
})

test('steps ring one after the other, each for its time, and those who did not answer are cancelled', () => {
  const { town, heard } = ringing({ steps: [step(['100'], 10_000), step(['101'], 5_000)] }, each('100', '101'))
  town.invited('100').ring()
  town.clock.advance(9_999)
  assert.equal(town.invites.length, 1)
  town.clock.advance(1)
  assert.equal(town.invited('100').cancelled, null)
  assert.equal(town.invites.length, 2)
  town.clock.advance(5_000)
  assert.equal(heard.outcome?.kind, 'no-answer')
  assert.deepEqual(
    town.factsOf('ring.started').map(({ targets, step: n }) => [targets, n]),
    [
      [['100'], 1],
      [['101'], 2],
    ],
  )
  assert.equal(town.clock.pending, 0)
})

test('a step whose targets have all failed gives way to the next at once', () => {
  const { town, heard } = ringing({ steps: [step(['100', '101']), step(['102'])] }, each('100', '101', '102'))
  town.invited('100').refuse(486)
  assert.equal(town.invites.length, 2)
  town.invited('101').refuse(603)
  town.invited('102').answer()
  assert.equal(heard.by?.endpoint.id, '102')
})

test('a target with a time of its own stops ringing before its step does', () => {
  const plan = {
    steps: [
      {
        ms: 20_000,
        targets: [
          { kind: 'device', id: '100', label: '100', ms: 5_000 },
          { kind: 'device', id: '101', label: '101' },
        ],
      },
    ],
  } as const
  const { town, heard } = ringing(plan, each('100', '101'))
  town.clock.advance(5_000)
  assert.equal(town.invited('100').cancelled, null)
  assert.equal(town.invited('101').cancelled, undefined)
  town.clock.advance(14_999)
  assert.equal(heard.outcome?.kind, undefined)
  town.clock.advance(1)
  assert.equal(heard.outcome?.kind, 'no-answer')
})

test('a trunk that is full or dead is passed over for the next one; one that says busy is believed', () => {
  const { town, heard } = ringing({ steps: [step(['out'])] }, { out: [[trunk('one', '200'), trunk('two', '200'), trunk('three', '200')]] })
  town.invited('200.one').refuse(503)
  town.invited('200.two').silence()
  town.invited('200.three').refuse(486)
  assert.equal(heard.outcome?.kind, 'busy')
  assert.deepEqual(
    town.factsOf('trunk.passed-over').map((fact) => fact.trunk),
    ['one', 'two'],
  )
})

test('a trunk that has rung is not passed over: somebody was asked', () => {
  const { town, heard } = ringing({ steps: [step(['out'])] }, { out: [[trunk('one', '200'), trunk('two', '200')]] })
  town.invited('200.one').ring()
  town.invited('200.one').refuse(503)
  assert.equal(town.invites.length, 1)
  assert.equal(heard.outcome?.kind, 'overloaded')
})

test('a lease that is refused passes its trunk over; one that was given is given back once', () => {
  const seen: string[] = []
  const lease = {
    answered: () => void seen.push('answered'),
    passedOver: () => void seen.push('passed over'),
    [Symbol.dispose]: () => void seen.push('back'),
  }
  const { town } = ringing(
    { steps: [step(['out'])] },
    { out: [[trunk('one', '200', { lease: () => 'all channels are taken' }), trunk('two', '200', { lease: () => lease })]] },
  )
  assert.deepEqual(
    town.factsOf('trunk.passed-over').map((fact) => fact.why),
    ['all channels are taken'],
  )
  town.invited('200.two').answer().peerHangsUp()
  assert.deepEqual(seen, ['answered', 'back'])
})

test('audio before the answer is heard only from the one phone that rings', () => {
  const one = ringing({ steps: [step(['100'])] }, each('100'))
  one.town.invited('100').ring(audio('sendrecv', 42_000))
  assert.equal(one.heard.rang[0]?.endpoint.id, '100')
  const two = ringing({ steps: [step(['100', '101'])] }, each('100', '101'))
  two.town.invited('100').ring(audio('sendrecv', 42_000))
  assert.deepEqual(two.heard.rang, [null])
})

test('nobody to ring, or a refusal of the company, ends the ring at once with the best of its reasons', () => {
  assert.equal(ringing({ steps: [step(['100'])] }, {}).heard.outcome?.kind, 'unreachable')
  assert.equal(ringing({ steps: [] }, {}).heard.outcome?.kind, 'unreachable')
  assert.equal(ringing({ steps: [step(['9'])] }, { '9': [] }, { kind: 'barred', by: 'us' }).heard.outcome?.kind, 'barred')
})

test('closing stops all ringing and the owner hears nothing more', () => {
  const { town, ring, heard } = ringing({ steps: [step(['100']), step(['101'])] }, each('100', '101'))
  ring.close({ kind: 'cancelled', by: 'caller' })
  ring.close({ kind: 'cancelled', by: 'caller' })
  assert.equal(town.invited('100').cancelled, null)
  town.invited('100').refuse(487)
  town.clock.advance(60_000)
  assert.deepEqual([heard.by, heard.outcome], [null, null])
  assert.equal(town.factsOf('ring.ended').length, 1)
  assert.equal(town.clock.pending, 0)
})

test('when no media port is free nobody is rung, and the reason is told', () => {
  const town = new Town()
  town.ports = 0
  town.phones.set('100', { branches: [[phone('100')]] })
  let outcome: Outcome | null = null
  const call = town.call()
  new Ring(call, { steps: [step(['100'])] }, null, {
    onRinging: () => undefined,
    onAnswered: () => undefined,
    onUnanswered: (o) => void (outcome = o),
  })
  assert.deepEqual(outcome, { kind: 'overloaded', by: 'us', detail: 'no media port is free' })
  assert.equal(town.invites.length, 0)
})

test('what our own limits refuse is not tried another way, and costs nobody a second attempt', () => {
  const leased: string[] = []
  const lease = (id: string) => () => {
    leased.push(id)
    return { answered: () => undefined, passedOver: () => undefined, [Symbol.dispose]: () => undefined }
  }
  const town = new Town()
  town.ports = 0
  const ways = ['one', 'two'].map((id) => trunk(id, '+371', { lease: lease(id) }))
  town.phones.set('+371', { branches: [ways] })
  let outcome: Outcome | null = null
  new Ring(town.call(), { steps: [{ targets: [{ kind: 'external', number: '+371', label: '+371' }], ms: 15_000 }] }, null, {
    onRinging: () => undefined,
    onAnswered: () => undefined,
    onUnanswered: (given) => void (outcome = given),
  })
  assert.deepEqual(leased, ['one'])
  assert.deepEqual(outcome, { kind: 'overloaded', by: 'us', detail: 'no media port is free' })
  assert.deepEqual(town.factsOf('trunk.passed-over'), [])
})

test('who asked for a call is its caller when their phone is rung, and has missed nothing', () => {
  const { town } = ringing({ steps: [step(['100'])], as: 'caller' }, each('100'))
  assert.equal(town.factsOf('leg.started')[0]?.role, 'caller')
  town.invited('100').answer()
  assert.equal(town.factsOf('leg.answered').length, 1)
})

test('the breadth that a call came with is shared out among who rings, and nobody rings beyond it (RFC 5393)', () => {
  const came = (breadth: number | undefined, ids: readonly string[]) => {
    const town = new Town()
    for (const id of ids) town.phones.set(id, { branches: [[phone(id)]] })
    const { identity } = town.call()
    const call = new Call(town.needs, { ...identity, hops: 20, ...(breadth !== undefined && { breadth }) })
    const heard: { outcome: Outcome | null } = { outcome: null }
    new Ring(call, { steps: [step(ids)] }, null, {
      onRinging: () => undefined,
      onAnswered: () => undefined,
      onUnanswered: (outcome) => void (heard.outcome = outcome),
    })
    return { heard, sent: town.invites.map(({ spec }) => [spec.maxForwards, spec.maxBreadth]) }
  }
  const three = ['100', '101', '102']
  assert.deepEqual(came(10, three).sent, Array(3).fill([19, 3]))
  assert.deepEqual(came(2, three).sent, Array(2).fill([19, 1]))
  assert.deepEqual(came(undefined, three).sent, Array(3).fill([19, 20]))
  const crowd = Array.from({ length: 90 }, (_, i) => String(200 + i))
  assert.deepEqual(came(undefined, crowd).sent, Array(90).fill([19, 1]), 'who said nothing has everybody rung')
  const none = came(0, three)
  assert.deepEqual([none.sent, none.heard.outcome?.sip], [[], 440])
})

test('help is called also with a breadth of 0', () => {
  const town = new Town()
  town.phones.set('112', { branches: [[trunk('carrier', '112')]] })
  const call = new Call(town.needs, { ...town.call().identity, hops: 20, breadth: 0 })
  new Ring(call, { steps: [{ targets: [{ kind: 'external', number: '112', label: '112', emergency: true }], ms: 15_000 }] }, null, {
    onRinging: () => undefined,
    onAnswered: () => undefined,
    onUnanswered: () => assert.fail('nobody was called'),
  })
  assert.equal(town.invites.length, 1)
})

test('who is sent on to shares the breadth of who sent them there', () => {
  const town = new Town()
  const forks = ['300', '301', '302']
  for (const id of ['100', '101', ...forks]) town.phones.set(id, { branches: [[phone(id)]] })
  town.numbers.set('300', { plan: { steps: [step(forks)] } })
  const call = new Call(town.needs, { ...town.call().identity, hops: 20, breadth: 5 })
  new Ring(call, { steps: [step(['100', '101'])] }, null, {
    onRinging: () => undefined,
    onAnswered: () => undefined,
    onUnanswered: () => undefined,
  })
  town.invited('100').refuse(302, [['Contact', '<sip:300@x>']])
  assert.deepEqual(
    town.invites.map(({ spec }) => [spec.uri.slice(4, 7), spec.maxBreadth]),
    [
      ['100', 2],
      ['101', 2],
      ['300', 1],
      ['301', 1],
    ],
  )
})

test('a leg that talks holds on to no ring', async () => {
  const talking = (): { leg: Leg | null; held: WeakRef<object> } => {
    const { town, ring, heard } = ringing({ steps: [step(['100'])] }, each('100'))
    town.invited('100').answer()
    return { leg: heard.by, held: new WeakRef(ring) }
  }
  // The first: the last may still stand on the stack or in a register.
  const [first] = [talking(), talking()]
  // Until the end of a turn a WeakRef holds what it was made of.
  await nextTurn()
  collect()
  assert.equal(first.leg?.state, 'talking')
  assert.equal(first.held.deref(), undefined)
})
