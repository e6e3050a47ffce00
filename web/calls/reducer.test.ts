import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact, NewFact } from '#contract/facts.ts'
import { type Board, find, reduce, withHistory } from '#web/calls/reducer.ts'
import { statusOf, statusSince } from '#web/calls/status.ts'

const company = { id: 'demo', name: 'Demo', timezone: 'Europe/Warsaw', number: '+48220000000' }
const phone = { kind: 'device', id: 'anna-desk', number: '100', name: 'Anna' } as const
const outside = { kind: 'trunk', id: 'carrier', number: '+48600000000' } as const

function emptyBoard(): Board {
  return {
    company,
    calls: [],
    ended: [],
    extensions: [{ number: '100', name: 'Anna', registered: false, busy: false, devices: [{ id: 'anna-desk', contacts: [] }] }],
    trunks: [{ id: 'carrier', name: 'Carrier', state: 'unknown', inUse: 0 }],
    conferences: [{ id: 'weekly', name: 'Weekly', number: '800', locked: false, members: [] }],
    may: 'act',
  }
}

/** Facts a second apart, of one call unless they say otherwise. */
function after(facts: readonly NewFact[], board = emptyBoard()): Board {
  return facts.map((fact, i) => ({ ...fact, at: (i + 1) * 1_000, seq: i + 1 }) as Fact).reduce(reduce, board)
}

const about = { tenant: 'demo', call: 'c1' }
const started: NewFact = {
  ...about,
  kind: 'call.started',
  direction: 'inbound',
  from: { number: '+48600000000' },
  to: { number: '+48220000000' },
  config: 3,
}
const callerThere: readonly NewFact[] = [
  started,
  { ...about, kind: 'leg.started', leg: 'l1', role: 'caller', endpoint: outside },
  { ...about, kind: 'leg.answered', leg: 'l1' },
]
const ringing: readonly NewFact[] = [
  ...callerThere,
  { ...about, kind: 'leg.started', leg: 'l2', role: 'callee', endpoint: phone },
  { ...about, kind: 'leg.ringing', leg: 'l2', earlyMedia: false },
]
const talking: readonly NewFact[] = [...ringing, { ...about, kind: 'leg.answered', leg: 'l2' }]

function theCall(board: Board) {
  const call = find(board, 'c1')
  assert.ok(call !== null)
  return call
}

test('a call appears when it starts, and says step by step what it does', () => {
  const kinds = [callerThere.slice(0, 1), callerThere, ringing, talking].map((facts) => statusOf(theCall(after(facts))).kind)
  assert.deepEqual(kinds, ['connecting', 'listening', 'ringing', 'talking'])
})

test('the timer of a call counts from when it began to do what it does', () => {
  assert.equal(statusSince(theCall(after(ringing))), 5_000)
  assert.equal(statusSince(theCall(after(talking))), 6_000)
})

test('a call on hold says so, from when it was held until it is resumed', () => {
  const held = after([...talking, { ...about, kind: 'leg.held', leg: 'l1', by: 'callee' }])
  assert.equal(statusOf(theCall(held)).kind, 'held')
  assert.equal(statusSince(theCall(held)), 7_000)
  assert.equal(
    statusOf(theCall(reduce(held, { ...about, kind: 'leg.resumed', leg: 'l1', by: 'callee', at: 8_000, seq: 8 }))).kind,
    'talking',
  )
})

test('an extension is busy and a trunk in use as long as their legs last', () => {
  const board = after(talking)
  assert.equal(board.extensions[0]?.busy, true)
  assert.equal(board.trunks[0]?.inUse, 1)
  const left = reduce(board, { ...about, kind: 'leg.ended', leg: 'l2', outcome: { kind: 'answered', by: 'callee' }, at: 9_000, seq: 9 })
  assert.equal(left.extensions[0]?.busy, false)
})

test('a call that ended moves to the ended, newest first, and still takes its recording', () => {
  const board = after([
    ...talking,
    { ...about, kind: 'call.ended', outcome: { kind: 'answered', by: 'caller' } },
    { ...about, kind: 'recording.ended', recording: 'r1', ms: 1_000, bytes: 2_000 },
  ])
  assert.deepEqual(board.calls, [])
  assert.deepEqual(board.ended[0]?.recordings, ['r1'])
  assert.equal(board.ended[0]?.talkMs, 1_000)
  assert.equal(statusOf(theCall(board)).kind, 'answered')
})

test('a call that rang without an answer is missed, and one that was refused is not called answered', () => {
  const missed = after([...ringing, { ...about, kind: 'call.ended', outcome: { kind: 'answered', by: 'caller' } }])
  assert.equal(statusOf(theCall(missed)).kind, 'missed')
  const refused = after([...talking, { ...about, kind: 'call.ended', outcome: { kind: 'barred', by: 'us', sip: 403 } }])
  assert.equal(statusOf(theCall(refused)).kind, 'other')
  const left = after([...callerThere, { ...about, kind: 'call.ended', outcome: { kind: 'answered', by: 'caller' } }])
  assert.equal(statusOf(theCall(left)).kind, 'abandoned')
})

test('an extension is offline only when the last of its contacts is gone', () => {
  const phones: NewFact[] = [
    { tenant: 'demo', kind: 'device.registered', device: 'anna-desk', contact: 'sip:a' },
    { tenant: 'demo', kind: 'device.registered', device: 'anna-desk', contact: 'sip:b' },
    { tenant: 'demo', kind: 'device.unregistered', device: 'anna-desk', contact: 'sip:a', why: 'expired' },
  ]
  assert.equal(after(phones).extensions[0]?.registered, true)
  const gone: NewFact = { tenant: 'demo', kind: 'device.unregistered', device: 'anna-desk', contact: 'sip:b', why: 'expired' }
  assert.equal(after([...phones, gone]).extensions[0]?.registered, false)
})

test('a trunk goes up and down', () => {
  const up: NewFact = { tenant: 'demo', kind: 'trunk.went-up', trunk: 'carrier' }
  const down: NewFact = { tenant: 'demo', kind: 'trunk.went-down', trunk: 'carrier', why: 'silent' }
  assert.equal(after([up]).trunks[0]?.state, 'up')
  assert.equal(after([up, down]).trunks[0]?.state, 'down')
})

test('calls from the history fill up the ended ones, each once, newest first', () => {
  const board = after([...talking, { ...about, kind: 'call.ended', outcome: { kind: 'answered', by: 'caller' } }])
  const call = theCall(board)
  const history = [
    call,
    { ...call, id: 'later', endedAt: 9_000 },
    { ...call, id: 'earlier', endedAt: 1 },
    { ...call, id: 'live', endedAt: null },
  ]
  assert.deepEqual(
    withHistory(board, history).ended.map((each) => each.id),
    ['later', 'c1', 'earlier'],
  )
})

test('facts of a call that is not on the board change nothing', () => {
  const board = emptyBoard()
  assert.deepEqual(reduce(board, { ...about, kind: 'leg.ringing', leg: 'l2', earlyMedia: false, at: 1, seq: 5 }), board)
})

test('a live call says what the caller’s signature is worth', () => {
  const checked: NewFact = { ...about, kind: 'call.identity-checked', verdict: 'passed', attestation: 'A', late: false }
  assert.deepEqual(after([...callerThere, checked]).calls[0]?.identity, { verdict: 'passed', attestation: 'A' })
})

test('a conference shows who is in it, muted or not, and whether it is locked', () => {
  const room = { conference: 'weekly', leg: 'l1' }
  const joined: NewFact = { ...about, ...room, kind: 'conference.joined', moderator: false, muted: true }
  const there = after([...callerThere, joined])
  const member = { leg: 'l1', call: 'c1', number: '+48600000000', moderator: false, muted: true }
  assert.deepEqual(there.conferences[0]?.members, [member])
  const may = after([...callerThere, joined, { ...about, ...room, kind: 'conference.muted', muted: false }])
  assert.deepEqual(may.conferences[0]?.members, [{ ...member, muted: false }])
  const locked = after([{ kind: 'conference.locked', tenant: 'demo', conference: 'weekly', locked: true }], may)
  assert.equal(locked.conferences[0]?.locked, true)
  assert.deepEqual(after([{ ...about, ...room, kind: 'conference.left' }], locked).conferences[0]?.members, [])
})
