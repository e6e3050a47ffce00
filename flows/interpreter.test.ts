import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ConfigDocument, DocumentOf } from '#contract/documents/document.ts'
import type { FlowNode } from '#contract/documents/flow.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import type { Destination } from '#contract/documents/target.ts'
import { newRun, resume, step } from '#flows/interpreter.ts'
import { simulate } from '#flows/simulator.ts'
import { bookOf } from '#flows/testing.ts'
import type { FlowBook } from '#flows/book.ts'
import { maxStepsWithoutCaller, type FlowEffect, type FlowInput, type FlowRun } from '#flows/types.ts'

const flowOf = (nodes: Record<string, FlowNode>, id = 'main'): DocumentOf<'flow'> => ({
  kind: 'flow',
  id,
  start: Object.keys(nodes)[0] ?? 'a',
  nodes,
})
const sales: ConfigDocument = {
  kind: 'ring-group',
  id: 'sales',
  strategy: 'together',
  members: [{ person: 'anna' }],
  noAnswer: { hangup: { prompts: ['sorry'] } },
  allBusy: { extension: '100' },
}
const reception: ConfigDocument = { kind: 'extension', id: '100', number: '100', target: { person: 'anna' }, seconds: 12 }

function start(book: FlowBook, entry: Destination = { flow: 'main' }) {
  return step(book, newRun(entry), { kind: 'started', now: 0, caller: { number: '+37120000000' }, dialled: '+74950000100' })
}
const withoutFacts = (effects: readonly FlowEffect[]) => effects.filter((effect) => effect.kind !== 'fact')
const rung = (token: number, outcome: OutcomeKind): FlowInput => ({ kind: 'rung', now: 0, token, outcome })

test('a caller is answered before the first prompt, and only once', () => {
  const book = bookOf([flowOf({ a: { type: 'play', prompts: ['one'], next: 'b' }, b: { type: 'hangup', prompts: ['two'] } })])
  const first = start(book)
  assert.deepEqual(withoutFacts(first.effects), [{ kind: 'answer' }, { kind: 'play', token: 1, prompts: ['one'] }])
  const second = step(book, first.run, { kind: 'played', now: 1, token: 1 })
  assert.deepEqual(withoutFacts(second.effects), [{ kind: 'play', token: 2, prompts: ['two'] }])
  const third = step(book, second.run, { kind: 'played', now: 2, token: 2 })
  assert.deepEqual(third.effects, [
    { kind: 'fact', fact: { kind: 'flow.left', flow: 'main', why: 'hung-up' } },
    { kind: 'hangup', outcome: { kind: 'completed', by: 'us' } },
  ])
})

test('a caller who is only rung through is not answered by the flow, unless there is music', () => {
  const ring = { type: 'ring' as const, steps: [{ targets: [{ person: 'anna' }] }], noAnswer: 'end' }
  const quiet = bookOf([flowOf({ a: ring, end: { type: 'hangup' } })])
  assert.deepEqual(
    withoutFacts(start(quiet).effects).map((effect) => effect.kind),
    ['ring'],
  )
  const loud = bookOf([flowOf({ a: { ...ring, music: ['tune'] }, end: { type: 'hangup' } })])
  assert.deepEqual(
    withoutFacts(start(loud).effects).map((effect) => effect.kind),
    ['answer', 'ring'],
  )
})

test('late inputs of what was stopped change nothing', () => {
  const book = bookOf([flowOf({ a: { type: 'menu', prompts: ['x'], keys: { '1': 'b' } }, b: { type: 'hangup', prompts: ['bye'] } })])
  const pressed = step(book, start(book).run, { kind: 'digit', now: 5, digit: '1' })
  for (const late of [
    { kind: 'played', token: 1 },
    { kind: 'timer', token: 1 },
    { kind: 'rung', token: 2, outcome: 'busy' },
  ] as const) {
    const after = step(book, pressed.run, { ...late, now: 6 })
    assert.deepEqual(after, { run: pressed.run, effects: [] })
  }
})

test('a timer that was stopped too late is not taken for the one that runs now', () => {
  const menu: FlowNode = { type: 'menu', prompts: ['x'], keys: { '1': 'b' }, extensions: true }
  const book = bookOf([flowOf({ a: menu, b: { type: 'hangup' } }), reception])
  const listening = step(book, start(book).run, { kind: 'played', now: 1, token: 1 })
  const dialling = step(book, listening.run, { kind: 'digit', now: 2, digit: '1' })
  assert.deepEqual(withoutFacts(dialling.effects), [
    { kind: 'stopTimer', token: 2 },
    { kind: 'startTimer', token: 3, ms: 3000 },
  ])
  assert.deepEqual(step(book, dialling.run, { kind: 'timer', now: 3, token: 2 }), { run: dialling.run, effects: [] })
})

const exits: readonly (readonly [OutcomeKind, string])[] = [
  ['no-answer', 'missed'],
  ['rejected', 'missed'],
  ['busy', 'engaged'],
  ['unreachable', 'away'],
  ['failed', 'away'],
  ['overloaded', 'away'],
]
for (const [outcome, node] of exits) {
  test(`a ring that ends ${outcome} leads to ${node}`, () => {
    const ring: FlowNode = {
      type: 'ring',
      steps: [{ targets: [{ person: 'anna' }] }],
      noAnswer: 'missed',
      busy: 'engaged',
      unreachable: 'away',
    }
    const ends = { missed: { type: 'hangup' }, engaged: { type: 'hangup' }, away: { type: 'hangup' } } as const
    const book = bookOf([flowOf({ ring, ...ends })])
    assert.equal(step(book, start(book).run, rung(1, outcome)).run.place?.node, node)
  })
}

test('an answered ring ends the run, and hangs up on nobody', () => {
  const book = bookOf([reception])
  const { run, effects } = step(book, start(book, { extension: '100' }).run, rung(1, 'answered'))
  assert.deepEqual(run.state, { name: 'ended', why: 'answered', outcome: { kind: 'answered', by: 'callee' } })
  assert.deepEqual(effects, [])
})

test('a number that leads straight to an extension rings it for its own seconds; nobody there ends the call with that outcome', () => {
  const book = bookOf([reception])
  const { run, effects } = start(book, { extension: '100' })
  assert.deepEqual(effects, [
    { kind: 'ring', token: 1, plan: { steps: [{ targets: [{ extension: '100' }], seconds: 12 }], callerId: 'company' } },
  ])
  assert.deepEqual(step(book, run, rung(1, 'no-answer')).effects, [{ kind: 'hangup', outcome: { kind: 'no-answer', by: 'callee' } }])
})

test('a number that leads to a group follows the group when nobody answers or all are busy', () => {
  const book = bookOf([sales, reception])
  const { run } = start(book, { ringGroup: 'sales' })
  assert.deepEqual(withoutFacts(step(book, run, rung(1, 'no-answer')).effects), [
    { kind: 'answer' },
    { kind: 'play', token: 2, prompts: ['sorry'] },
  ])
  assert.deepEqual(
    step(book, run, rung(1, 'busy')).effects.map((effect) => effect.kind),
    ['ring'],
  )
})

test('goto goes on in another flow', () => {
  const book = bookOf([flowOf({ a: { type: 'goto', flow: 'other' } }), flowOf({ b: { type: 'hangup', reason: 'busy' } }, 'other')])
  const { effects } = start(book)
  assert.deepEqual(
    effects.flatMap((effect) => (effect.kind === 'fact' ? [effect.fact.kind] : [effect.kind])),
    ['flow.entered', 'flow.stepped', 'flow.left', 'flow.entered', 'flow.stepped', 'flow.left', 'hangup'],
  )
})

test('callers are told apart by list, pattern and withheld number, the first case counting', () => {
  const list: ConfigDocument = { kind: 'caller-list', id: 'vip', numbers: ['+37120000000'] }
  const node: FlowNode = {
    type: 'caller',
    cases: [
      { list: 'vip', next: 'vip' },
      { numbers: ['+371*'], next: 'latvia' },
      { anonymous: true, next: 'hidden' },
    ],
    otherwise: 'other',
  }
  const ends = Object.fromEntries(['vip', 'latvia', 'hidden', 'other'].map((id): [string, FlowNode] => [id, { type: 'hangup' }]))
  const book = bookOf([list, flowOf({ node, ...ends })])
  const reached = (number: string | null) =>
    step(book, newRun({ flow: 'main' }), { kind: 'started', now: 0, caller: { number }, dialled: '' }).run.place?.node
  assert.deepEqual(['+37120000000', '+37129999999', '+79990000001', null].map(reached), ['vip', 'latvia', 'other', 'hidden'])
})

test('a loop ends the call as broken, with an alarm, after a bounded number of steps', () => {
  const book = bookOf([flowOf({ a: { type: 'record', on: true, next: 'b' }, b: { type: 'record', on: false, next: 'a' } })])
  const { run, effects } = start(book)
  assert.equal(run.state.name === 'ended' && run.state.why, 'broken')
  assert.ok(effects.some((effect) => effect.kind === 'fact' && effect.fact.kind === 'alarm.raised'))
  assert.ok(effects.filter((effect) => effect.kind === 'record').length < maxStepsWithoutCaller)
  assert.equal(effects.at(-1)?.kind, 'hangup')
})

test('a node called constructor is a node like others, and a missing one never something inherited', () => {
  const good = bookOf([flowOf(Object.fromEntries([['constructor', { type: 'hangup' }]]))])
  assert.equal(simulate(good, { flow: 'main' }, { at: 0, caller: { number: null } }).end?.why, 'hung-up')
  const bad = bookOf([flowOf({ a: { type: 'record', on: true, next: 'constructor' } })])
  assert.equal(simulate(bad, { flow: 'main' }, { at: 0, caller: { number: null } }).end?.why, 'broken')
})

test('what is under way is stopped when the caller leaves', () => {
  const menu: FlowNode = { type: 'menu', prompts: ['x'], keys: { '1': 'a' } }
  const book = bookOf([flowOf({ a: menu }), reception])
  const left: FlowInput = { kind: 'caller-hung-up', now: 9 }
  const kinds = (run: FlowRun) => withoutFacts(step(book, run, left).effects).map((effect) => effect.kind)
  const speaking = start(book).run
  assert.deepEqual(kinds(speaking), ['stopPlay'])
  assert.deepEqual(kinds(step(book, speaking, { kind: 'played', now: 1, token: 1 }).run), ['stopTimer'])
  assert.deepEqual(kinds(start(book, { extension: '100' }).run), ['stopRing'])
})

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'nowhere')
const prompts = fc.constant(['p'])
const ringTarget = fc.constantFrom({ extension: '100' }, { person: 'x' }, { ringGroup: 'sales' }, { external: '+79990000001' })
const ringStep = fc.record({ targets: fc.tuple(ringTarget), seconds: fc.integer({ min: 3, max: 60 }) })
const optionalId = fc.option(id, { nil: undefined })

/** As documents are: plain JSON, without fields that are undefined. */
const asDocument = (node: object): FlowNode => JSON.parse(JSON.stringify(node)) as FlowNode

const anyNode: fc.Arbitrary<FlowNode> = fc
  .oneof(
    fc.record({ type: fc.constant('play' as const), prompts, bargeIn: fc.boolean(), next: id }),
    fc.record({
      type: fc.constant('menu' as const),
      prompts,
      keys: fc.dictionary(fc.constantFrom('0', '1', '2', '#', '*'), id),
      extensions: fc.boolean(),
      bargeIn: fc.boolean(),
      keyAhead: fc.boolean(),
      retries: fc.integer({ min: 0, max: 3 }),
      wrong: optionalId,
      silence: optionalId,
      noAnswer: optionalId,
    }),
    fc.record({ type: fc.constant('hours' as const), hours: fc.constantFrom('office', 'none'), open: id, closed: id }),
    fc.record({
      type: fc.constant('caller' as const),
      cases: fc.tuple(fc.record({ numbers: fc.constant(['+371*']), next: id })),
      otherwise: id,
    }),
    fc.record({ type: fc.constant('ring' as const), steps: fc.array(ringStep, { minLength: 1, maxLength: 3 }), noAnswer: id, busy: id }),
    fc.record({ type: fc.constant('external' as const), number: fc.constant('+79990000001'), noAnswer: id }),
    fc.record({ type: fc.constant('record' as const), on: fc.boolean(), next: id }),
    fc.record({ type: fc.constant('goto' as const), flow: fc.constantFrom('main', 'other', 'none') }),
    fc.record({ type: fc.constant('hangup' as const), prompts }),
  )
  .map(asDocument)
const nodes = fc.record({ a: anyNode, b: anyNode, c: anyNode, d: anyNode, e: anyNode })
const hours: ConfigDocument = { kind: 'hours', id: 'office', weekly: [{ days: ['mon', 'thu'], from: '09:00', to: '02:00' }] }
const anyBook = fc.tuple(nodes, nodes).map(([one, two]) => bookOf([flowOf(one), flowOf(two, 'other'), hours, sales, reception]))
const anyInput: fc.Arbitrary<FlowInput> = fc.oneof(
  fc.record({ kind: fc.constant('digit' as const), now: fc.nat(), digit: fc.constantFrom('0', '1', '2', '#', '*', '100', '') }),
  fc.record({ kind: fc.constant('played' as const), now: fc.nat(), token: fc.nat({ max: 40 }) }),
  fc.record({ kind: fc.constant('timer' as const), now: fc.nat(), token: fc.nat({ max: 40 }) }),
  fc.record({
    kind: fc.constant('rung' as const),
    now: fc.nat(),
    token: fc.nat({ max: 40 }),
    outcome: fc.constantFrom<OutcomeKind>('answered', 'busy', 'no-answer', 'unreachable'),
  }),
)

test('any graph comes to a defined end with a caller who presses nothing and callees who do not answer', () => {
  fc.assert(
    fc.property(anyBook, fc.constantFrom<Destination>({ flow: 'main' }, { ringGroup: 'sales' }, { flow: 'none' }), (book, entry) => {
      const { end, lines } = simulate(book, entry, { at: 0, caller: { number: null }, maxMs: Infinity })
      assert.ok(end !== null && (end.why === 'hung-up' || end.why === 'broken'), `ended ${end?.why}`)
      assert.equal(lines.filter((line) => line.is === 'hung-up').length, 1)
    }),
    { numRuns: 500, seed: 7 },
  )
})

test('any graph comes to a defined end whatever keys the caller presses', () => {
  const presses = fc.array(fc.record({ afterMs: fc.nat({ max: 120_000 }), press: fc.constantFrom('0', '1', '2', '#', '*') }), {
    maxLength: 40,
  })
  const callees = fc.constantFrom<Record<string, { answers: number } | { fails: 'busy' }>>(
    {},
    { 'extension 100': { answers: 2000 } },
    { 'person x': { fails: 'busy' } },
  )
  fc.assert(
    fc.property(anyBook, presses, callees, (book, actions, who) => {
      const { end } = simulate(book, { flow: 'main' }, { at: 0, caller: { number: '+37100' }, actions, callees: who, maxMs: Infinity })
      assert.notEqual(end, null)
    }),
    { numRuns: 500, seed: 7 },
  )
})

test('any inputs in any order: the run survives JSON, the same input gives the same step, and after the end nothing happens', () => {
  fc.assert(
    fc.property(anyBook, fc.array(anyInput, { maxLength: 60 }), (book, inputs) => {
      let { run } = start(book)
      for (const input of inputs) {
        const ended = run.state.name === 'ended'
        const thawed = JSON.parse(JSON.stringify(run)) as FlowRun
        const next = step(book, run, input)
        assert.deepEqual(step(book, thawed, input), next)
        if (ended) assert.deepEqual(next, { run, effects: [] })
        run = next.run
      }
    }),
    { numRuns: 300, seed: 7 },
  )
})

test('what a run starts it ends or stops: nothing is left under way after the end', () => {
  fc.assert(
    fc.property(anyBook, fc.array(anyInput, { maxLength: 60 }), (book, inputs) => {
      const open = new Set<number>()
      const settle = (effects: readonly FlowEffect[]) => {
        for (const effect of effects) {
          if (effect.kind === 'play' || effect.kind === 'startTimer' || effect.kind === 'ring') open.add(effect.token)
          if (effect.kind === 'stopPlay' || effect.kind === 'stopTimer' || effect.kind === 'stopRing') open.delete(effect.token)
        }
      }
      let { run, effects } = start(book)
      settle(effects)
      for (const input of [...inputs, { kind: 'caller-hung-up' as const, now: 0 }]) {
        if ('token' in input && open.has(input.token) && isOwn(run, input)) open.delete(input.token)
        ;({ run, effects } = step(book, run, input))
        settle(effects)
        assert.ok(open.size <= 1, `${open.size} things under way`)
      }
      assert.equal(run.state.name, 'ended')
      assert.equal(open.size, 0)
    }),
    { numRuns: 300, seed: 7 },
  )
})

test('a run that was kept goes on where it was: what was under way is done again, under the same tokens', () => {
  fc.assert(
    fc.property(anyBook, fc.array(anyInput, { maxLength: 30 }), (book, inputs) => {
      let { run, effects } = start(book)
      const last = new Map<number, FlowEffect>()
      for (const input of [null, ...inputs]) {
        if (input !== null) ({ run, effects } = step(book, run, input))
        for (const effect of effects)
          if (effect.kind === 'play' || effect.kind === 'startTimer' || effect.kind === 'ring') last.set(effect.token, effect)
        const again = resume(JSON.parse(JSON.stringify(run)) as FlowRun)
        assert.equal(again.length, run.state.name === 'ended' ? 0 : 1)
        for (const effect of again) assert.deepEqual(effect, 'token' in effect ? last.get(effect.token) : null)
      }
    }),
    { numRuns: 200, seed: 7 },
  )
})

/** Whether the input is of what the run waits for; others are ignored, so they end nothing. */
function isOwn({ state }: FlowRun, input: FlowInput & { token: number }): boolean {
  if (input.kind === 'played') return 'play' in state && state.play === input.token
  if (input.kind === 'timer') return state.name === 'awaiting' && state.timer === input.token
  return state.name === 'ringing' && state.ring === input.token
}

test('a conference is entered from a number, an extension and a group, by a caller who has been answered', () => {
  const room: ConfigDocument = { kind: 'extension', id: '800', number: '800', target: { conference: 'weekly' } }
  const book = bookOf([room])
  for (const entry of [{ conference: 'weekly' }, { extension: '800' }]) {
    const { run, effects } = start(book, entry)
    assert.deepEqual(withoutFacts(effects), [{ kind: 'answer' }, { kind: 'conference', conference: 'weekly' }])
    assert.equal(run.state.name, 'ended')
  }
  const group = bookOf([room, { ...sales, noAnswer: { conference: 'weekly' } }])
  const { run } = start(group, { ringGroup: 'sales' })
  const { effects } = step(group, run, rung(1, 'no-answer'))
  assert.deepEqual(withoutFacts(effects), [{ kind: 'answer' }, { kind: 'conference', conference: 'weekly' }])
})
