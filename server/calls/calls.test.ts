import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Call } from '#calls/call.ts'
import { dial } from '#calls/outbound-leg.ts'
import { phone, Town } from '#calls/testing.ts'
import type { Fact } from '#contract/facts.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { ladderOf } from '#server/calls/ladder.ts'
import { LiveCalls } from '#server/calls/live-calls.ts'
import { Rehearsals } from '#server/calls/rehearsals.ts'
import { SipTrace } from '#sip/trace.ts'

const started = (call: string, tenant = 'acme'): Fact => ({
  kind: 'call.started',
  ...{ tenant, call, seq: 1, at: 1_000, direction: 'inbound', config: 1 },
  from: { number: '+37120000001' },
  to: { number: '+37160000100' },
})
const ended = (call: string, tenant = 'acme'): Fact => ({
  kind: 'call.ended',
  tenant,
  call,
  seq: 2,
  at: 2_000,
  outcome: { kind: 'busy', by: 'callee' },
})
const digit = (call: string, seq: number): Fact => ({
  kind: 'digit.pressed',
  tenant: 'acme',
  call,
  seq,
  at: 1_500,
  leg: 'l',
  digit: '1',
  by: 'rtp',
})

test('the call log gives a company its own calls, ended ones newest first', () => {
  const log = new CallLog()
  for (const fact of [started('a'), started('b'), ended('a'), ended('b'), started('x', 'other')]) log.hear(fact)
  assert.deepEqual(
    log.ended('acme', 10).map((row) => row.id),
    ['b', 'a'],
  )
  assert.deepEqual(
    log.ended('acme', 1).map((row) => row.id),
    ['b'],
  )
  assert.equal(log.facts('acme', 'x'), null)
  assert.equal(log.row('other', 'x')?.to.number, '+37160000100')
})

test('the call log forgets the calls that ended first, and facts beyond what a timeline needs', () => {
  const log = new CallLog()
  for (let n = 0; n < 501; n++) {
    log.hear(started(`c${n}`))
    log.hear(ended(`c${n}`))
  }
  assert.equal(log.facts('acme', 'c0'), null)
  assert.notEqual(log.facts('acme', 'c1'), null)
  log.hear(started('long'))
  for (let seq = 2; seq < 2_500; seq++) log.hear(digit('long', seq))
  assert.equal(log.facts('acme', 'long')?.length, 2_000)
})

test('a call of very many facts has its legs and its end, and loses detail only', () => {
  const about = { tenant: 'acme', call: 'long' }
  const late: Fact[] = [
    {
      kind: 'leg.started',
      ...{ ...about, seq: 2_096, at: 1_600, leg: 'late', role: 'callee' },
      endpoint: { kind: 'device', id: 'd', number: '100' },
    },
    { kind: 'leg.answered', ...about, seq: 2_097, at: 1_700, leg: 'late' },
    { kind: 'digit.pressed', ...about, seq: 2_098, at: 1_750, leg: 'late', digit: '9', by: 'rtp' },
    { kind: 'leg.ended', ...about, seq: 2_099, at: 1_900, leg: 'late', outcome: { kind: 'answered', by: 'caller' } },
    { ...ended('long'), seq: 2_100 },
  ]
  const story = [started('long'), ...Array.from({ length: 2_094 }, (_, n) => digit('long', n + 2)), ...late]
  const heard = new CallLog()
  for (const fact of story) heard.hear(fact)
  const recalled = new CallLog()
  recalled.recall('acme', 'long', story)
  for (const log of [heard, recalled]) {
    const row = log.row('acme', 'long')
    assert.deepEqual([row?.answeredAt, row?.endedAt, row?.outcome.kind], [1_700, 2_000, 'busy'])
    assert.deepEqual(
      row?.legs.map((leg) => [leg.leg, leg.endedAt]),
      [['late', 1_900]],
    )
    assert.equal(log.facts('acme', 'long')?.length, 2_004)
    assert.equal(log.ended('acme', 1)[0]?.id, 'long')
  }
})

test('a call that rings phones without end is bounded too, and ends all the same', () => {
  const log = new CallLog()
  log.hear(started('long'))
  const endpoint = { kind: 'device', id: 'd', number: '100' } as const
  for (let seq = 2; seq < 12_000; seq++)
    log.hear({ kind: 'leg.started', ...{ tenant: 'acme', call: 'long', seq, at: 1_500, leg: `l${seq}`, role: 'callee' }, endpoint })
  log.hear({ ...ended('long'), seq: 12_000 })
  assert.equal(log.facts('acme', 'long')?.length, 10_001)
  assert.equal(log.row('acme', 'long')?.endedAt, 2_000)
})

test('facts of a company, of calls unknown and of other companies do not become calls', () => {
  const log = new CallLog()
  log.hear({ kind: 'trunk.went-up', tenant: 'acme', seq: 1, at: 1, trunk: 't' })
  log.hear(digit('late', 9))
  assert.equal(log.facts('acme', 'late'), null)
  log.hear(started('a'))
  log.hear(ended('a', 'other'))
  assert.equal(log.facts('acme', 'a')?.length, 1)
})

test('live calls are found by their own company only, and go when they end', () => {
  const town = new Town()
  const live = new LiveCalls()
  const call = town.call()
  live.add(call)
  assert.equal(live.get('acme', 'c1'), call)
  assert.equal(live.get('other', 'c1'), null)
  call.end({ kind: 'completed', by: 'us' })
  assert.equal(live.size, 0)
  assert.deepEqual([...live.of('acme')], [])
})

test('a phone is busy while one of its legs talks, not while it rings', () => {
  const town = new Town()
  const live = new LiveCalls()
  const call = new Call(town.needs, town.call().identity)
  live.add(call)
  dial(call, phone('100'), { ringMs: 1_000, onMiss: () => undefined })
  town.invited('100').ring()
  assert.equal(live.isBusy('acme', '100'), false)
  const dialog = town.invited('100').answer()
  assert.equal(live.isBusy('acme', '100'), true)
  assert.equal(live.isBusy('other', '100'), false)
  dialog.peerHangsUp()
  assert.equal(live.isBusy('acme', '100'), false)
})

test('a rehearsal ticket is good once, for its company, within a minute', () => {
  const clock = new VirtualClock()
  const rehearsals = new Rehearsals(clock, countingRandom())
  const ticket = rehearsals.issue('acme', 123)
  assert.equal(rehearsals.redeem('other', ticket), null)
  assert.equal(rehearsals.redeem('acme', undefined), null)
  assert.equal(rehearsals.redeem('acme', ticket), 123)
  assert.equal(rehearsals.redeem('acme', ticket), null)
  const late = rehearsals.issue('acme', 123)
  clock.advance(60_000)
  assert.equal(rehearsals.redeem('acme', late), null)
})

test('the ladder shows the messages of all legs of a call in the order of time', () => {
  const clock = new VirtualClock(1_000)
  const trace = new SipTrace(clock)
  const flow = {
    transport: 'udp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '192.0.2.9', port: 5061 },
    connection: null,
  } as const
  const message = (line: string, id: string, body = '') =>
    Buffer.from(
      `${line}\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: ${id}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  const note = (direction: 'in' | 'out', line: string, id: string, body?: string) => {
    clock.advance(10)
    trace.record(direction, flow, message(line, id, body), id)
  }
  note('in', 'INVITE sip:b@x SIP/2.0', 'one', 'v=0')
  note('out', 'INVITE sip:b@y SIP/2.0', 'two')
  note('in', 'SIP/2.0 180 Ringing', 'two')
  const leg = (id: string, sip: string): Fact => ({
    kind: 'leg.started',
    ...{ tenant: 'acme', call: 'c', seq: 1, at: 1, leg: id, sip, role: 'caller' },
    endpoint: { kind: 'trunk', id: 't', number: '1' },
  })
  const { messages, text } = ladderOf(trace, [started('c'), leg('c.1', 'one'), leg('c.2', 'two')])
  assert.deepEqual(
    messages.map(({ leg: id, direction, summary }) => `${id} ${direction} ${summary}`),
    ['c.1 in INVITE sip:b@x + SDP', 'c.2 out INVITE sip:b@y', 'c.2 in 180 Ringing (1 INVITE)'],
  )
  assert.match(text, /180 Ringing/)
})

test('a call refused before it had a leg has a ladder, of nobody else’s messages', () => {
  const trace = new SipTrace(new VirtualClock(1_000))
  const flow = {
    transport: 'udp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '192.0.2.9', port: 5061 },
    connection: null,
  } as const
  for (const tag of ['mine', 'theirs']) {
    const text = `INVITE sip:999@x SIP/2.0\r\nFrom: <sip:a@x>;tag=${tag}\r\nTo: <sip:b@x>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n\r\n`
    trace.record('in', flow, Buffer.from(text), 'one')
  }
  const why = { reason: 'nobody here has the number 999', rule: 'unknown-number', sip: 404 }
  const refused: Fact = { kind: 'call.refused', tenant: 'acme', call: 'c', seq: 2, at: 1_001, ...why, invite: 'one', tag: 'mine' }
  const { messages } = ladderOf(trace, [started('c'), refused])
  assert.deepEqual(
    messages.map(({ leg, summary }) => `${leg} ${summary}`),
    ['+37120000001 INVITE sip:999@x'],
  )
})
