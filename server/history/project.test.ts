import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Fact, NewFact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import { isOfRow, project } from '#server/history/project.ts'

const us = { tenant: 'alfa', call: 'c' }
const started = { kind: 'call.started', ...us, direction: 'inbound', from: { number: '1' }, to: { number: '2' }, config: 1 } as const
const callee = (leg: string): NewFact => ({
  kind: 'leg.started',
  ...us,
  leg,
  role: 'callee',
  endpoint: { kind: 'device', id: leg, number: leg },
})
const ringing = (leg: string): NewFact => ({ kind: 'leg.ringing', ...us, leg, earlyMedia: false })
const answered = (leg: string): NewFact => ({ kind: 'leg.answered', ...us, leg })
const ended = (outcome: Outcome, leg?: string): NewFact =>
  leg === undefined ? { kind: 'call.ended', ...us, outcome } : { kind: 'leg.ended', ...us, leg, outcome }
const gaveUp: Outcome = { kind: 'cancelled', by: 'caller' }
const elsewhere: Outcome = { kind: 'answered-elsewhere', by: 'callee' }
const talked: Outcome = { kind: 'answered', by: 'callee' }

/** One fact a second. */
function facts(...made: NewFact[]): Fact[] {
  return made.map((fact, i) => ({ ...fact, at: (i + 1) * 1_000, seq: i + 1 }) as Fact)
}

describe('a missed call', () => {
  test('is one that rang and that nobody took', () => {
    assert.equal(project(facts(started, callee('100'), ringing('100'), ended(gaveUp, '100'), ended(gaveUp)))?.missed, true)
  })
  test('is also one that a flow went on with after nobody took it', () => {
    assert.equal(
      project(
        facts(
          started,
          callee('100'),
          ringing('100'),
          ended({ kind: 'no-answer', by: 'callee' }, '100'),
          ended({ kind: 'completed', by: 'us' }),
        ),
      )?.missed,
      true,
    )
  })
  test('is never one that was answered elsewhere', () => {
    const row = project(
      facts(
        started,
        callee('100'),
        callee('102'),
        ringing('100'),
        ringing('102'),
        answered('102'),
        ended(elsewhere, '100'),
        ended(talked, '102'),
        ended(talked),
      ),
    )
    assert.equal(row?.missed, false)
    assert.equal(project(facts(started, callee('100'), ringing('100'), ended(elsewhere, '100'), ended(gaveUp)))?.missed, false)
  })
  test('is never an outgoing one, a refused one, or one that only heard a prompt', () => {
    const outbound = { ...started, direction: 'outbound' } as const
    assert.equal(project(facts(outbound, callee('100'), ringing('100'), ended(gaveUp)))?.missed, false)
    assert.equal(project(facts(started, ended({ kind: 'barred', by: 'us' })))?.missed, false)
    assert.equal(project(facts(started, ended({ kind: 'completed', by: 'us' })))?.missed, false)
  })
})

describe('the times of a call', () => {
  test('ring until the first answer, talk from there to the end, also through a transfer', () => {
    const row = project(
      facts(
        started,
        callee('100'),
        ringing('100'),
        answered('100'),
        callee('102'),
        ringing('102'),
        answered('102'),
        ended(talked, '100'),
        ended(talked),
      ),
    )
    assert.equal(row?.ringMs, 1_000)
    assert.equal(row?.answeredAt, 4_000)
    assert.equal(row?.talkMs, 5_000)
    assert.equal(row?.answeredBy?.id, '102')
  })
  test('ring to the last end when nobody answers', () => {
    const row = project(
      facts(
        started,
        callee('100'),
        ringing('100'),
        callee('102'),
        ended(gaveUp, '100'),
        ringing('102'),
        ended(gaveUp, '102'),
        ended(gaveUp),
      ),
    )
    assert.equal(row?.ringMs, 4_000)
    assert.equal(row?.talkMs, 0)
  })
})

describe('the projection', () => {
  test('takes no fact twice, and makes nothing of a call without its beginning', () => {
    const all = facts(started, callee('100'), ringing('100'), answered('100'), ended(talked, '100'), ended(talked))
    assert.deepEqual(project([...all, ...all]), project(all))
    assert.equal(project(all.slice(1)), null)
    assert.equal(project([]), null)
  })
  test('says of a call in progress what it would be now', () => {
    const row = project(facts(started, callee('100'), ringing('100'), answered('100')))
    assert.equal(row?.endedAt, null)
    assert.equal(row?.outcome.kind, 'answered')
    assert.equal(row?.missed, false)
  })
})

test('what the caller’s signature is worth stands in the call', () => {
  const checked: NewFact = {
    kind: 'call.identity-checked',
    ...us,
    verdict: 'failed',
    attestation: 'B',
    why: 'signed at another time',
    late: true,
  }
  assert.deepEqual(project(facts(started, checked))?.identity, { verdict: 'failed', attestation: 'B', why: 'signed at another time' })
  assert.equal(project(facts(started))?.identity, undefined)
})

test('who came into a conference, or to somebody to listen to, has talked from then on; who was only listened to has not begun anew', () => {
  const joined: NewFact = { kind: 'conference.joined', ...us, leg: 'l', conference: 'weekly', moderator: false }
  const over = ended({ kind: 'answered', by: 'caller' })
  const row = project(facts(started, joined, over))
  assert.deepEqual([row?.answeredAt, row?.talkMs, row?.missed], [2_000, 1_000, false])
  const monitor = (id: string): NewFact => ({
    kind: 'monitor.started',
    ...us,
    leg: 'l',
    monitor: id,
    by: '2',
    agent: '1',
    mode: 'listen',
    told: false,
  })
  assert.equal(project(facts(started, monitor('c'), over))?.answeredAt, 2_000)
  assert.equal(project(facts(started, monitor('d'), over))?.answeredAt, null)
})

test('what is not of the row can be left out of a call that is over', () => {
  const digit: NewFact = { kind: 'digit.pressed', ...us, leg: '100', digit: '1', by: 'rtp' }
  const held: NewFact = { kind: 'leg.held', ...us, leg: '100', by: 'callee' }
  const resumed: NewFact = { kind: 'leg.resumed', ...us, leg: '100', by: 'callee' }
  const kept: NewFact = { kind: 'recording.ended', ...us, recording: 'r', ms: 1, bytes: 1 }
  const recovered: NewFact = { kind: 'call.recovered', ...us, downMs: 1 }
  const checked: NewFact = { kind: 'call.identity-checked', ...us, verdict: 'passed', late: false }
  const entered: NewFact = { kind: 'conference.joined', ...us, leg: '100', conference: 'c', moderator: false }
  const listened: NewFact = { kind: 'monitor.started', ...us, leg: '100', monitor: 'c', by: '2', agent: '1', mode: 'listen', told: false }
  const ringing100 = [started, callee('100'), digit, ringing('100'), digit, answered('100'), held, digit, resumed]
  const all = facts(...ringing100, recovered, checked, entered, listened, kept, digit, ended(talked, '100'), digit, ended(talked))
  assert.deepEqual(project(all.filter(isOfRow)), project(all))
  assert.equal(all.filter(isOfRow).length, all.length - 5)
})
