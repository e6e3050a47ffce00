import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigDocument, DocumentOf } from '#contract/documents/document.ts'
import type { MenuNode } from '#contract/documents/flow.ts'
import { simulate, type CallScript, type Transcript } from '#flows/simulator.ts'
import { bookOf } from '#flows/testing.ts'

/** A greeting of 3 s, a menu of 6 s; key 1 rings 100, key 2 says goodbye. */
function company(menu: Partial<MenuNode> = {}, more: readonly ConfigDocument[] = []) {
  const flow: DocumentOf<'flow'> = {
    kind: 'flow',
    id: 'main',
    start: 'greeting',
    nodes: {
      greeting: { type: 'play', prompts: ['hello'], next: 'menu' },
      menu: {
        type: 'menu',
        prompts: ['choose'],
        keys: { '1': 'sales', '2': 'bye' },
        wrongPrompts: ['wrong'],
        silencePrompts: ['quiet'],
        ...menu,
      },
      sales: { type: 'ring', steps: [{ targets: [{ extension: '100' }], seconds: 15 }], noAnswer: 'bye' },
      bye: { type: 'hangup', prompts: ['bye'] },
      lost: { type: 'hangup', reason: 'rejected' },
    },
  }
  const people: ConfigDocument[] = [
    { kind: 'extension', id: '100', number: '100', target: { person: 'anna' } },
    { kind: 'extension', id: '1002', number: '1002', target: { person: 'oleg' } },
    { kind: 'extension', id: '205', number: '205', target: { person: 'vera' } },
    { kind: 'extension', id: '300', number: '300', target: { flow: 'main' } },
  ]
  return bookOf([flow, ...people, ...more], { hello: 3000, choose: 6000, wrong: 1000, quiet: 1000, bye: 2000 })
}

const withOperator: ConfigDocument = {
  kind: 'company',
  id: 'acme',
  name: 'Acme',
  timezone: 'Europe/Moscow',
  country: 'RU',
  language: 'en',
  sipDomains: ['acme.example'],
  operator: { extension: '205' },
}

type Presses = readonly (readonly [afterMs: number, press: string])[]

function call(book: ReturnType<typeof company>, presses: Presses, script: Partial<CallScript> = {}): Transcript {
  const actions = presses.map(([afterMs, press]) => ({ afterMs, press }))
  return simulate(book, { flow: 'main' }, { at: 0, caller: { number: '+37120000000' }, actions, ...script })
}

/** What was said, with how long it was heard, and what was rung. */
function heard(transcript: Transcript): string[] {
  return transcript.lines.flatMap((line) => {
    if (line.is === 'said') return [`${line.prompts.join('+')} ${line.spokenMs}`]
    if (line.is === 'ringing') return [`ring ${line.targets.join(',')}`]
    if (line.is === 'fact' && line.fact.kind === 'menu.missed') return [`${line.fact.why} ${line.fact.attempt}`]
    return []
  })
}

test('a key after the prompt takes its exit', () => {
  const transcript = call(company(), [[10_000, '1']], { callees: { 'extension 100': { answers: 5000 } } })
  assert.deepEqual(heard(transcript), ['hello 3000', 'choose 6000', 'ring extension 100'])
  assert.deepEqual(transcript.end, { why: 'answered', outcome: { kind: 'answered', by: 'callee' }, ms: 15_000 })
})

test('a key during the greeting cuts it short and is used by the menu at once: the menu is not said', () => {
  assert.deepEqual(heard(call(company(), [[1000, '2']])), ['hello 1000', 'bye 2000'])
})

test('a key during the menu cuts it short', () => {
  assert.deepEqual(heard(call(company(), [[4000, '2']])), ['hello 3000', 'choose 1000', 'bye 2000'])
})

test('without barge-in the whole prompt is heard, and the key pressed meanwhile counts after it', () => {
  assert.deepEqual(heard(call(company({ bargeIn: false }), [[4000, '2']])), ['hello 3000', 'choose 6000', 'bye 2000'])
})

test('without key-ahead a key pressed during the greeting is not used', () => {
  const book = company({ keyAhead: false, retries: 0, wrong: 'lost' })
  assert.deepEqual(heard(call(book, [[1000, '2']])), ['hello 1000', 'choose 6000', 'silence 1'])
})

test('keys pressed faster than the menus are used one per menu', () => {
  const flow: DocumentOf<'flow'> = {
    kind: 'flow',
    id: 'main',
    start: 'first',
    nodes: {
      first: { type: 'menu', prompts: ['hello'], keys: { '1': 'second' }, wrong: 'bye' },
      second: { type: 'menu', prompts: ['choose'], keys: { '7': 'bye' }, wrong: 'bye' },
      bye: { type: 'hangup', prompts: ['bye'] },
    },
  }
  const book = bookOf([flow], { hello: 3000, choose: 3000, bye: 1000 })
  const first = call(book, [
    [100, '1'],
    [150, '7'],
  ])
  assert.deepEqual(heard(first), ['hello 100', 'choose 50', 'bye 1000'])
  const unskippable: DocumentOf<'flow'> = {
    ...flow,
    start: 'notice',
    nodes: { ...flow.nodes, notice: { type: 'play', prompts: ['hello'], bargeIn: false, next: 'first' } },
  }
  const second = call(bookOf([unskippable], { hello: 3000, bye: 1000 }), [
    [100, '1'],
    [150, '7'],
  ])
  assert.deepEqual(heard(second), ['hello 3000', 'bye 1000'])
})

test('wrong keys get the hint and the menu again, then the exit for wrong keys', () => {
  const book = company({ retries: 1, wrong: 'lost' })
  const transcript = call(book, [
    [4000, '9'],
    [6000, '8'],
  ])
  assert.deepEqual(heard(transcript), ['hello 3000', 'choose 1000', 'wrong-key 1', 'wrong+choose 2000', 'wrong-key 2'])
  assert.equal(transcript.end?.outcome.kind, 'rejected')
})

test('keys that follow a wrong one are dropped with it', () => {
  const book = company({ bargeIn: false, retries: 1, wrong: 'lost' })
  const transcript = call(book, [
    [4000, '9'],
    [4100, '2'],
  ])
  assert.deepEqual(heard(transcript), ['hello 3000', 'choose 6000', 'wrong-key 1', 'wrong+choose 7000', 'silence 2'])
})

test('silence is waited for, the menu repeated, and the operator rung in the end', () => {
  const book = company({ silenceSeconds: 4 }, [withOperator])
  const transcript = call(book, [], { callees: { 'extension 205': { answers: 1000 } } })
  assert.deepEqual(heard(transcript), [
    'hello 3000',
    'choose 6000',
    'silence 1',
    'quiet+choose 7000',
    'silence 2',
    'quiet+choose 7000',
    'silence 3',
    'ring extension 205',
  ])
  assert.equal(transcript.end?.ms, 3000 + 6000 + 4000 + 7000 + 4000 + 7000 + 4000 + 1000)
})

test('with no exit and no operator, silence ends the call', () => {
  assert.equal(call(company({ retries: 0 }), []).end?.outcome.kind, 'completed')
})

test('key 0 reaches the operator', () => {
  const transcript = call(company({}, [withOperator]), [[1000, '0']], { callees: { 'extension 205': { answers: 1000 } } })
  assert.deepEqual(heard(transcript), ['hello 1000', 'ring extension 205'])
})

test('an operator who does not answer leads to the noAnswer exit of the menu', () => {
  const transcript = call(company({ noAnswer: 'bye' }, [withOperator]), [[1000, '0']])
  assert.deepEqual(heard(transcript), ['hello 1000', 'ring extension 205', 'bye 2000'])
})

test('key 0 of the menu itself comes before the operator', () => {
  assert.deepEqual(heard(call(company({ keys: { '0': 'bye' } }, [withOperator]), [[1000, '0']])), ['hello 1000', 'bye 2000'])
})

const dial = (digits: string, fromMs: number, gapMs = 500): Presses => Array.from(digits, (digit, i) => [fromMs + i * gapMs, digit])
const extensions = { extensions: true, keys: { '1': 'bye', '2': 'sales' }, noAnswer: 'lost', retries: 0, wrong: 'lost' } as const

test('an extension that nothing longer begins with is rung at its last digit', () => {
  const transcript = call(company(extensions), dial('205', 1000))
  assert.deepEqual(heard(transcript), ['hello 1000', 'ring extension 205'])
  assert.equal(transcript.lines.find((line) => line.is === 'ringing')?.ms, 2000)
})

test('an extension that begins a longer one waits for more digits, or for #', () => {
  const waited = call(company({ ...extensions, digitSeconds: 2 }), dial('100', 1000))
  assert.equal(waited.lines.find((line) => line.is === 'ringing')?.ms, 2000 + 2000)
  const ended = call(company(extensions), dial('100#', 1000))
  assert.equal(ended.lines.find((line) => line.is === 'ringing')?.ms, 2500)
  assert.deepEqual(heard(call(company(extensions), dial('1002', 1000))), ['hello 1000', 'ring extension 1002'])
})

test('a key that begins an extension is a key when no digit follows in time', () => {
  const transcript = call(company({ ...extensions, digitSeconds: 2 }), [[1000, '1']])
  assert.deepEqual(heard(transcript), ['hello 1000', 'bye 2000'])
  assert.equal(transcript.end?.ms, 1000 + 2000 + 2000)
})

test('an extension that does not exist is a miss of its own kind', () => {
  assert.deepEqual(heard(call(company(extensions), dial('109', 1000))), ['hello 1000', 'wrong-extension 1'])
})

test('a dialled extension that does not answer leads to the noAnswer exit', () => {
  assert.equal(call(company(extensions), dial('205', 1000)).end?.outcome.kind, 'rejected')
})

test('a dialled extension can be a flow', () => {
  assert.deepEqual(heard(call(company(extensions), dial('300', 1000))).slice(0, 2), ['hello 1000', 'hello 3000'])
})

test('digits of an extension are keys, one by one, where the menu takes no extensions', () => {
  const transcript = call(company({ retries: 0, wrong: 'lost' }), dial('205', 4000))
  assert.deepEqual(heard(transcript), ['hello 3000', 'choose 1000', 'bye 2000'])
})
