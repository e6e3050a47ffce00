import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallView } from '#contract/api/calls.ts'
import type { Fact, FactKind } from '#contract/facts.ts'
import { choose, languages, localeOf } from '#web/words/language.ts'
import { explanation, outcomeWords } from '#web/words/outcome-words.ts'
import { factSentence, type Telling, type Words } from '#web/words/words.ts'

/** Says everything by a mark, so that a sentence that leaves something out is seen. */
function telling(words: Words): Telling {
  return {
    leg: (id) => `leg:${id}`,
    trunk: (id) => `trunk:${id}`,
    device: (id) => `device:${id}`,
    outcome: (outcome) => outcomeWords(outcome, words),
    party: (party) => words.party[party],
    duration: (ms) => `${ms}ms`,
    instant: (at) => `at:${at}`,
  }
}

const quality = {
  codec: 'PCMA',
  encrypted: true,
  class: 'poor',
  roundTripMs: 40,
  received: { packets: 1500, lost: 6.2, jitterMs: 4, mos: 3.2, worst: { lost: 9, mos: 2.8 } },
  sent: { lost: 0, jitterMs: 3, mos: 4.4 },
} as const
const common = { at: 0, tenant: 'demo', call: 'c1', seq: 1 }
const outcome = { kind: 'busy', by: 'callee', sip: 486 } as const

/** One fact of each kind, and what its sentence must say whatever the language. */
const facts: { readonly [K in FactKind]: readonly [Extract<Fact, { kind: K }>, ...string[]] } = {
  'call.started': [
    {
      ...common,
      kind: 'call.started',
      direction: 'inbound',
      from: { number: '1' },
      to: { number: '2' },
      config: 1,
      rehearsedAt: 7,
      diverted: [{ number: '3', reason: 'user-busy' }],
    },
    '1',
    '2',
    'at:7',
    '3',
  ],
  'call.identity-checked': [
    { ...common, kind: 'call.identity-checked', verdict: 'failed', attestation: 'B', why: 'too old', late: false },
    'B',
    'too old',
  ],
  'call.ended': [{ ...common, kind: 'call.ended', outcome }, '486'],
  'call.captured': [{ ...common, kind: 'call.captured', by: 'Ann', audio: true, until: 5 }, 'Ann'],
  'call.recovered': [{ ...common, kind: 'call.recovered', downMs: 700 }, '700ms'],
  'call.refused': [{ ...common, kind: 'call.refused', reason: 'caps', rule: 'spend', sip: 403 }, 'caps', 'spend', '403'],
  'leg.started': [{ ...common, kind: 'leg.started', leg: 'l', role: 'callee', endpoint: { kind: 'api', id: 'x', number: '1' } }, 'leg:l'],
  'leg.ringing': [{ ...common, kind: 'leg.ringing', leg: 'l', earlyMedia: true }, 'leg:l'],
  'leg.asked': [{ ...common, kind: 'leg.asked', leg: 'l', key: '1' }, 'leg:l', '1'],
  'leg.answered': [{ ...common, kind: 'leg.answered', leg: 'l' }, 'leg:l'],
  'leg.redialled': [{ ...common, kind: 'leg.redialled', leg: 'l', sip: 'c', why: 'encryption' }, 'leg:l'],
  'leg.quality': [{ ...common, kind: 'leg.quality', leg: 'l', final: true, quality }, 'leg:l', '6'],
  'leg.held': [{ ...common, kind: 'leg.held', leg: 'l', by: 'caller' }, 'leg:l'],
  'leg.resumed': [{ ...common, kind: 'leg.resumed', leg: 'l', by: 'caller' }, 'leg:l'],
  'leg.ended': [{ ...common, kind: 'leg.ended', leg: 'l', outcome }, 'leg:l', '486'],
  'bridge.joined': [{ ...common, kind: 'bridge.joined', legs: ['l', 'm'] }, 'leg:l', 'leg:m'],
  'bridge.parted': [{ ...common, kind: 'bridge.parted', legs: ['l', 'm'] }, 'leg:l', 'leg:m'],
  'flow.entered': [{ ...common, kind: 'flow.entered', flow: 'main' }, 'main'],
  'flow.stepped': [{ ...common, kind: 'flow.stepped', flow: 'main', node: 'menu', type: 'gather', via: 'open' }, 'menu', 'gather', 'open'],
  'flow.left': [{ ...common, kind: 'flow.left', flow: 'main', why: 'hung-up' }, 'main', 'hung-up'],
  'hours.decided': [{ ...common, kind: 'hours.decided', hours: 'office', state: 'closed', because: 'sun' }, 'office', 'closed', 'sun'],
  'menu.missed': [{ ...common, kind: 'menu.missed', flow: 'main', node: 'menu', why: 'silence', attempt: 2 }, 'menu', '2'],
  'prompt.played': [
    { ...common, kind: 'prompt.played', leg: 'l', prompt: 'hello', text: 'Cześć', ms: 900, whole: false },
    'hello',
    'Cześć',
    '900ms',
  ],
  'digit.pressed': [{ ...common, kind: 'digit.pressed', leg: 'l', digit: '#', by: 'rtp' }, 'leg:l', '#'],
  'ring.started': [{ ...common, kind: 'ring.started', targets: ['100', '102'], step: 3, ms: 15_000 }, '100', '102', '3', '15000ms'],
  'ring.ended': [{ ...common, kind: 'ring.ended', outcome, leg: 'l' }, 'leg:l'],
  'trunk.passed-over': [{ ...common, kind: 'trunk.passed-over', trunk: 't', why: 'full' }, 'trunk:t', 'full'],
  'transfer.requested': [{ ...common, kind: 'transfer.requested', leg: 'l', to: '102' }, 'leg:l', '102'],
  'call.joined': [{ ...common, kind: 'call.joined', into: 'c2' }, 'c2'],
  'leg.redirected': [{ ...common, kind: 'leg.redirected', leg: 'l', to: ['102'], followed: false, why: 'loop' }, 'leg:l', '102', 'loop'],
  'transfer.completed': [{ ...common, kind: 'transfer.completed', leg: 'l', to: '102' }, '102'],
  'call.parked': [{ ...common, kind: 'call.parked', leg: 'l', slot: '*701', by: '100' }, '*701', '100'],
  'call.unparked': [{ ...common, kind: 'call.unparked', leg: 'l', slot: '*701', why: 'picked-up', by: 'm' }, '*701', 'leg:m'],
  'call.picked-up': [{ ...common, kind: 'call.picked-up', leg: 'l', by: 'm' }, 'leg:l', 'leg:m'],
  'call.flipped': [{ ...common, kind: 'call.flipped', leg: 'l', by: 'm' }, 'leg:l', 'leg:m'],
  'transfer.failed': [{ ...common, kind: 'transfer.failed', leg: 'l', to: '102', outcome }, '102', '486'],
  'three-way.joined': [{ ...common, kind: 'three-way.joined', legs: ['l', 'm', 'n'] }],
  'three-way.parted': [{ ...common, kind: 'three-way.parted', legs: ['l', 'm', 'n'] }],
  'conference.joined': [{ ...common, kind: 'conference.joined', leg: 'l', conference: 'weekly', moderator: true }, 'leg:l', 'weekly'],
  'conference.left': [{ ...common, kind: 'conference.left', leg: 'l', conference: 'weekly' }, 'leg:l', 'weekly'],
  'conference.refused': [{ ...common, kind: 'conference.refused', leg: 'l', conference: 'weekly', why: 'wrong-pin' }, 'leg:l', 'weekly'],
  'conference.muted': [{ ...common, kind: 'conference.muted', leg: 'l', conference: 'weekly', muted: true }, 'leg:l', 'weekly'],
  'conference.locked': [{ ...common, kind: 'conference.locked', conference: 'weekly', locked: true }, 'weekly'],
  'monitor.started': [
    { ...common, kind: 'monitor.started', leg: 'l', monitor: 'c9', by: '200', agent: '101', mode: 'listen', told: true },
    '200',
    '101',
  ],
  'monitor.changed': [{ ...common, kind: 'monitor.changed', leg: 'l', monitor: 'c9', by: '200', mode: 'barge' }, '200'],
  'monitor.ended': [{ ...common, kind: 'monitor.ended', leg: 'l', monitor: 'c9', by: '200' }, '200'],
  'recording.started': [{ ...common, kind: 'recording.started', recording: 'r' }],
  'recording.ended': [{ ...common, kind: 'recording.ended', recording: 'r', ms: 5_000, bytes: 2_048 }, '5000ms', '2'],
  'recording.failed': [{ ...common, kind: 'recording.failed', recording: 'r', why: 'disk' }, 'disk'],
  'recording.mailed': [{ ...common, kind: 'recording.mailed', recording: 'r', to: 'a@b.example' }, 'a@b.example'],
  'trunk.went-up': [{ ...common, kind: 'trunk.went-up', trunk: 't' }, 'trunk:t'],
  'trunk.went-down': [{ ...common, kind: 'trunk.went-down', trunk: 't', why: 'silent' }, 'trunk:t', 'silent'],
  'device.registered': [{ ...common, kind: 'device.registered', device: 'd', contact: 'sip:a' }, 'device:d', 'sip:a'],
  'device.unregistered': [{ ...common, kind: 'device.unregistered', device: 'd', contact: 'sip:a', why: 'expired' }, 'device:d', 'expired'],
  'device.password-shown': [{ ...common, kind: 'device.password-shown', device: 'd', to: 'eve' }, 'device:d', 'eve'],
  'callback.requested': [{ ...common, kind: 'callback.requested', extension: '100', to: '101' }, '100', '101'],
  'callback.ended': [{ ...common, kind: 'callback.ended', extension: '100', to: '101', why: 'called', begun: 'c2' }, '100', '101'],
  'desk.logged-in': [{ ...common, kind: 'desk.logged-in', device: 'd', person: 'eve', extension: '101', by: 'phone' }, 'device:d', '101'],
  'desk.logged-out': [
    { ...common, kind: 'desk.logged-out', device: 'd', person: 'eve', extension: '101', why: 'expired' },
    'device:d',
    '101',
  ],
  'desk.refused': [{ ...common, kind: 'desk.refused', device: 'd', extension: '101', why: 'wrong-pin' }, 'device:d', '101'],
  'message.sent': [
    { ...common, kind: 'message.sent', device: 'd', to: '102', type: 'text/plain', bytes: 5, delivered: 0, sip: 480 },
    'device:d',
    '102',
    '480',
  ],
  'config.changed': [{ ...common, kind: 'config.changed', version: 9, author: 'eve', comment: 'new hours' }, '9', 'eve', 'new hours'],
  'alarm.raised': [{ ...common, kind: 'alarm.raised', rule: 'disk-full', severity: 'critical', detail: 'no room' }, 'disk-full', 'no room'],
}

for (const words of languages) {
  test(`in ${words.language} every kind of fact is a sentence that leaves nothing out`, () => {
    for (const [fact, ...parts] of Object.values(facts)) {
      const sentence = factSentence(fact, words, telling(words))
      for (const part of parts) assert.ok(sentence.includes(part), `${fact.kind}: "${sentence}" does not say ${part}`)
      assert.doesNotMatch(sentence, /undefined|\[object/)
    }
  })
}

test('a call that came to nothing is explained by what the network said of it, in every language', () => {
  const told = (words: Words, outcome: CallView['outcome']): string => explanation({ outcome, answeredAt: null } as CallView, words)
  for (const words of languages) {
    assert.ok(told(words, { kind: 'wrong-number', by: 'caller', sip: 503, q850: 22 }).startsWith(words.cause['number-changed']))
    assert.ok(told(words, { kind: 'wrong-number', by: 'caller', sip: 404 }).startsWith(words.cause.unallocated))
    assert.ok(told(words, { kind: 'unreachable', by: 'nobody', sip: 480, q850: 31 }).startsWith(words.why.unreachable))
    assert.ok(told(words, { kind: 'overloaded', by: 'us', sip: 503 }).startsWith(words.why.overloaded))
    assert.equal(new Set(Object.values(words.cause)).size, Object.keys(words.cause).length)
  }
})

test('a fact that this page does not know yet is shown by its kind', () => {
  const fact = { ...common, kind: 'call.imagined' } as unknown as Fact
  assert.equal(factSentence(fact, choose([]), telling(choose([]))), 'call.imagined')
})

test('the first wished language that the page speaks is chosen, otherwise English', () => {
  assert.equal(choose(['lv', 'pl-PL', 'en']).language, 'pl')
  assert.equal(choose(['zh-TW']).language, 'zh-Hans')
  assert.equal(choose(['lv']).language, 'en')
})

test('times are written the way of the reader’s own region', () => {
  assert.equal(localeOf(choose(['en-GB']), ['pl', 'en-GB', 'en']), 'en-GB')
  assert.equal(localeOf(choose(['pl']), ['de-DE']), 'pl')
})
