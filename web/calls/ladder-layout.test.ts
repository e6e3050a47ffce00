import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LegView, TracedMessage } from '#contract/api/calls.ts'
import { layOut } from '#web/calls/ladder-layout.ts'

const times = { startedAt: 0, ringingAt: null, answeredAt: null, endedAt: null, outcome: null }
const legs: LegView[] = [
  { ...times, leg: 'l1', role: 'caller', endpoint: { kind: 'trunk', id: 'carrier', number: '+48600000000' } },
  { ...times, leg: 'l2', role: 'callee', endpoint: { kind: 'device', id: 'desk', number: '100', name: 'Anna' } },
]

function message(leg: string, direction: 'in' | 'out', summary: string): TracedMessage {
  return { at: 0, direction, leg, transport: 'udp', local: '127.0.0.1:5060', remote: `127.0.0.1:${leg}`, summary, text: '' }
}

test('who called stands left of us, who was called right of us', () => {
  const { columns } = layOut([message('l2', 'out', 'INVITE sip:100@x'), message('l1', 'in', 'INVITE sip:1@x')], legs)
  assert.deepEqual(
    columns.map((column) => column.name),
    ['+48600000000', '', 'Anna (100)'],
  )
  assert.equal(columns[1]?.address, '127.0.0.1:5060')
})

test('an arrow goes from who sent the message to who got it, and says what it is', () => {
  const { arrows } = layOut(
    [message('l1', 'in', 'INVITE sip:1@x + SDP'), message('l1', 'out', '486 Busy Here (1 INVITE)'), message('l1', 'in', 'ACK sip:1@x')],
    legs,
  )
  assert.deepEqual(
    arrows.map(({ from, to, label, hasSdp, kind }) => [from, to, label, hasSdp, kind]),
    [
      [0, 1, 'INVITE', true, 'request'],
      [1, 0, '486 Busy Here', false, 'failure'],
      [0, 1, 'ACK', false, 'request'],
    ],
  )
})

test('a response says which request it answers, unless that is the INVITE', () => {
  const { arrows } = layOut([message('l1', 'out', '200 OK (2 BYE)'), message('l1', 'out', '180 Ringing (1 INVITE)')], legs)
  assert.deepEqual(
    arrows.map(({ label, kind }) => [label, kind]),
    [
      ['200 OK · BYE', 'success'],
      ['180 Ringing', 'provisional'],
    ],
  )
})
