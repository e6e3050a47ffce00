import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigDocument, DocumentOf } from '#contract/documents/document.ts'
import type { FlowNode } from '#contract/documents/flow.ts'
import { lint, type Entrance } from '#flows/linter.ts'
import { bookOf } from '#flows/testing.ts'

type Nodes = Record<string, FlowNode>
const bye: FlowNode = { type: 'hangup', prompts: ['bye'] }
const ring: FlowNode = { type: 'ring', steps: [{ targets: [{ person: 'anna' }] }], noAnswer: 'bye' }
const hello: FlowNode = { type: 'play', prompts: ['hello'], next: 'ring' }
const hours: FlowNode = { type: 'hours', hours: 'office', open: 'hello', closed: 'bye' }
const menu: FlowNode = { type: 'menu', prompts: ['choose'], keys: { '0': 'ring', '1': 'ring' }, wrong: 'bye' }

function company(operator?: DocumentOf<'company'>['operator']): ConfigDocument {
  const plain = {
    kind: 'company',
    id: 'acme',
    name: 'Acme',
    timezone: 'UTC',
    country: 'RU',
    language: 'en',
    sipDomains: ['acme.example'],
  } as const
  return operator === undefined ? { ...plain, sipDomains: ['acme.example'] } : { ...plain, sipDomains: ['acme.example'], operator }
}

/** Rules that a flow starting at `start` offends, with their place. */
function rules(
  nodes: Nodes,
  more: readonly ConfigDocument[] = [],
  options: Partial<Entrance> & { ms?: Record<string, number>; start?: string } = {},
): string[] {
  const flow: DocumentOf<'flow'> = { kind: 'flow', id: 'main', start: options.start ?? Object.keys(nodes)[0] ?? '', nodes }
  const book = bookOf([...(more.some((d) => d.kind === 'company') ? [] : [company()]), ...more, flow], options.ms)
  const findings = lint(book, flow, { entry: options.entry ?? false, recorded: options.recorded ?? false })
  return findings.map((finding) => `${finding.severity} ${finding.rule} /${finding.path.join('/')}`)
}

test('a sound flow has no findings', () => assert.deepEqual(rules({ hours, hello, ring, bye }, [], { entry: true }), []))

test('an exit that leads nowhere is an error at that exit', () => {
  assert.deepEqual(rules({ hello: { ...hello, next: 'gone' } }), ['error dangling-exit /nodes/hello/next'])
  assert.deepEqual(rules({ menu: { ...menu, keys: { '0': 'bye', '3': 'gone' } }, bye }), ['error dangling-exit /nodes/menu/keys/3'])
  assert.deepEqual(rules({ bye }, [], { start: 'gone' }), ['error dangling-exit /start', 'error unreachable-node /nodes/bye'])
})

test('a node that no way leads to is an error', () => assert.deepEqual(rules({ bye, ring }), ['error unreachable-node /nodes/ring']))

test('a menu without a way to a human is an error', () => {
  const without: FlowNode = { ...menu, keys: { '1': 'ring' } }
  assert.deepEqual(rules({ menu: without, ring, bye }), ['error no-operator /nodes/menu'])
  assert.deepEqual(rules({ menu: { ...without, noAnswer: 'bye' }, ring, bye }, [company({ person: 'anna' })]), [])
})

test('a menu that can ring somebody needs a way on when nobody answers', () => {
  const dials: FlowNode = { ...menu, extensions: true }
  assert.deepEqual(rules({ menu: dials, ring, bye }), ['error no-answer-exit /nodes/menu'])
  const operator: FlowNode = { ...menu, keys: { '1': 'ring' } }
  assert.deepEqual(rules({ menu: operator, ring, bye }, [company({ person: 'anna' })]), ['error no-answer-exit /nodes/menu'])
})

test('more than five items are too many; 0, * and # do not count', () => {
  const keys = Object.fromEntries(['0', '*', '#', '1', '2', '3', '4', '5'].map((key) => [key, 'ring']))
  assert.deepEqual(rules({ menu: { ...menu, keys }, ring, bye }), [])
  assert.deepEqual(rules({ menu: { ...menu, keys: { ...keys, '6': 'ring' } }, ring, bye }), ['warning many-items /nodes/menu/keys'])
})

test('a third menu in a row is too deep, and a way back to the first is not', () => {
  const to = (next: string): FlowNode => ({ type: 'menu', prompts: ['p'], keys: { '0': 'ring', '1': next }, wrong: 'bye' })
  assert.deepEqual(rules({ one: to('two'), two: to('one'), ring, bye }), [])
  assert.deepEqual(rules({ one: to('two'), two: to('three'), three: to('one'), ring, bye }), ['warning deep-menu /nodes/three'])
})

test('a circle without a key press is an error for each of its nodes', () => {
  const again: FlowNode = { ...ring, noAnswer: 'hello' }
  assert.deepEqual(rules({ hello, ring: again }), ['error loop-without-input /nodes/hello', 'error loop-without-input /nodes/ring'])
})

test('a menu repeated on silence for ever is a circle, one repeated by a key is not', () => {
  assert.deepEqual(rules({ menu: { ...menu, silence: 'menu' }, ring, bye }), ['error loop-without-input /nodes/menu'])
  assert.deepEqual(rules({ menu: { ...menu, keys: { '0': 'ring', '9': 'menu' } }, ring, bye }), [])
})

test('a circle through another flow, an operator or a group is found as well', () => {
  const other: ConfigDocument = { kind: 'flow', id: 'other', start: 'back', nodes: { back: { type: 'goto', flow: 'main' } } }
  assert.deepEqual(rules({ go: { type: 'goto', flow: 'other' } }, [other]), ['error loop-without-input /nodes/go'])
  const silent: FlowNode = { type: 'menu', prompts: ['p'], keys: { '1': 'bye' } }
  const group: ConfigDocument = {
    kind: 'ring-group',
    id: 'g',
    strategy: 'together',
    members: [{ person: 'anna' }],
    noAnswer: { flow: 'main' },
  }
  assert.deepEqual(rules({ menu: silent, bye }, [company({ flow: 'other' }), other]), ['error loop-without-input /nodes/menu'])
  assert.deepEqual(rules({ menu: silent, bye }, [company({ ringGroup: 'g' }), group]), ['error loop-without-input /nodes/menu'])
})

const notice: ConfigDocument = { kind: 'prompt', id: 'notice', file: 'notice.wav', recordingNotice: true }
const say: FlowNode = { type: 'play', prompts: ['notice'], bargeIn: false, next: 'ring' }

test('a recorded caller must have been told before somebody can answer', () => {
  const entrance = { entry: true, recorded: true, start: 'hours' }
  const nodes: Nodes = { hours: { ...hours, open: 'hello', closed: 'say' } as FlowNode, hello, say, ring, bye }
  assert.deepEqual(rules(nodes, [notice], entrance), ['error recording-notice /nodes/ring'])
  assert.deepEqual(rules({ ...nodes, hello: { ...hello, next: 'say' } as FlowNode }, [notice], entrance), [])
  assert.deepEqual(rules(nodes, [notice], { ...entrance, recorded: false }), [])
})

test('a notice that a key can cut short is a warning', () => {
  const nodes: Nodes = { hours: { ...hours, open: 'say' } as FlowNode, say: { ...say, bargeIn: true } as FlowNode, ring, bye }
  assert.deepEqual(rules(nodes, [notice], { entry: true, recorded: true }), ['warning skippable-notice /nodes/ring'])
})

test('recording that a flow switches on itself needs the notice too, also across flows', () => {
  const on: FlowNode = { type: 'record', on: true, next: 'go' }
  const other: ConfigDocument = { kind: 'flow', id: 'other', start: 'ring', nodes: { ring, bye } }
  assert.deepEqual(
    rules({ hours: { ...hours, open: 'on' } as FlowNode, on, go: { type: 'goto', flow: 'other' }, bye }, [other], { entry: true }),
    ['error recording-notice /start'],
  )
})

test('a greeting over 15 s is too long, counting all that is said up to the end of the first menu', () => {
  const nodes: Nodes = { hours, hello: { ...hello, next: 'menu' } as FlowNode, menu, ring, bye }
  const options = { entry: true, ms: { hello: 9000, choose: 6001, bye: 60_000 } }
  assert.deepEqual(rules(nodes, [], options), ['warning long-greeting /nodes/menu'])
  assert.deepEqual(rules(nodes, [], { ...options, ms: { hello: 9000, choose: 6000 } }), [])
})

test('music before any word is a warning', () => {
  const tune: ConfigDocument = { kind: 'prompt', id: 'hello', file: 'tune.wav', content: 'music' }
  assert.deepEqual(rules({ hours, hello, ring, bye }, [tune], { entry: true }), ['warning leading-music /nodes/hello/prompts'])
})

test('a first prompt that does not name the company is a warning, where its words are known', () => {
  const words = (text: string): ConfigDocument => ({ kind: 'prompt', id: 'hello', text })
  assert.deepEqual(rules({ hours, hello, ring, bye }, [words('Please hold')], { entry: true }), [
    'warning nameless-greeting /nodes/hello/prompts',
  ])
  assert.deepEqual(rules({ hours, hello, ring, bye }, [words('Welcome to ACME')], { entry: true }), [])
})

test('a flow that treats every hour alike is a warning, which it can waive', () => {
  assert.deepEqual(rules({ hello, ring, bye }, [], { entry: true }), ['warning one-scenario /start'])
  const flow: DocumentOf<'flow'> = { kind: 'flow', id: 'main', start: 'bye', nodes: { bye }, waive: ['one-scenario', 'dangling-exit'] }
  assert.deepEqual(lint(bookOf([flow]), flow, { entry: true, recorded: false }), [])
  const broken = { ...flow, start: 'gone' }
  assert.deepEqual(
    lint(bookOf([broken]), broken, { entry: true, recorded: false }).map(({ rule }) => rule),
    ['dangling-exit', 'unreachable-node'],
  )
})
