import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hours } from '#contract/documents/hours.ts'
import { decideHours } from '#flows/hours.ts'

const office: Hours = {
  kind: 'hours',
  id: 'office',
  weekly: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '18:00' }],
  holidays: [
    { name: 'New Year', date: '12-31', until: '01-08', state: 'new-year' },
    { name: 'Victory Day', date: '05-09', open: [{ from: '10:00', to: '12:00' }] },
    { name: 'Anniversary', date: '2026-06-15' },
  ],
  exceptions: [
    { name: 'Working Saturday', date: '2026-10-31', open: [{ from: '09:00', to: '16:00' }] },
    { name: 'Burst pipe', date: '2026-09-01', until: '2026-09-02', state: 'emergency' },
    { name: 'Stocktaking on a holiday', date: '2026-01-05', open: [{ from: '12:00', to: '13:00' }] },
  ],
}

/** Wall time in Moscow, which is UTC+3 all year. */
const moscow = (local: string) => Temporal.PlainDateTime.from(local).toZonedDateTime('Europe/Moscow').epochMilliseconds
const decide = (hours: Hours, now: number) => {
  const { state, named } = decideHours(hours, 'Europe/Moscow', now)
  return named === undefined ? state : `${state} ${named}`
}

const table: readonly (readonly [local: string, expected: string])[] = [
  ['2026-11-23T08:59:59.999', 'closed'],
  ['2026-11-23T09:00', 'open'],
  ['2026-11-23T17:59:59.999', 'open'],
  ['2026-11-23T18:00', 'closed'],
  ['2026-11-28T12:00', 'closed'],
  ['2026-11-29T12:00', 'closed'],
  ['2026-12-31T12:00', 'holiday new-year'],
  ['2027-01-01T12:00', 'holiday new-year'],
  ['2027-01-08T23:59', 'holiday new-year'],
  ['2027-01-11T12:00', 'open'],
  ['2026-12-30T12:00', 'open'],
  ['2028-05-09T09:59', 'holiday'],
  ['2028-05-09T10:00', 'open'],
  ['2028-05-09T12:00', 'holiday'],
  ['2026-06-15T12:00', 'holiday'],
  ['2027-06-15T12:00', 'open'],
  ['2026-10-31T15:59', 'open'],
  ['2026-10-31T16:00', 'closed'],
  ['2026-09-02T10:00', 'closed emergency'],
  ['2026-09-03T10:00', 'open'],
  ['2026-01-05T12:30', 'open'],
  ['2026-01-05T14:00', 'closed'],
]
for (const [local, expected] of table) {
  test(`the office is ${expected} at ${local} in Moscow`, () => assert.equal(decide(office, moscow(local)), expected))
}

test('an evening in Moscow is decided by Moscow, not by UTC: 22:30 UTC on Sunday is Monday there', () => {
  assert.equal(decideHours(office, 'Europe/Moscow', Date.parse('2026-11-22T22:30Z')).because, 'mon')
})

const nights: Hours = {
  kind: 'hours',
  id: 'nights',
  weekly: [{ days: ['fri'], from: '22:00', to: '06:00' }],
  holidays: [
    { name: 'Saturday off', date: '2026-11-28' },
    { name: 'Night duty', date: '2026-12-01', open: [{ from: '23:00', to: '01:00' }] },
  ],
}
const nightTable: readonly (readonly [local: string, expected: string])[] = [
  ['2026-11-20T21:59', 'closed'],
  ['2026-11-20T22:00', 'open'],
  ['2026-11-21T00:00', 'open'],
  ['2026-11-21T05:59', 'open'],
  ['2026-11-21T06:00', 'closed'],
  ['2026-11-21T22:30', 'closed'],
  ['2026-11-28T03:00', 'open'],
  ['2026-11-28T07:00', 'holiday'],
  ['2026-12-01T23:30', 'open'],
  ['2026-12-02T00:59', 'open'],
  ['2026-12-02T01:00', 'closed'],
]
for (const [local, expected] of nightTable) {
  test(`past midnight, a shift belongs to the day it began: ${expected} at ${local}`, () =>
    assert.equal(decide(nights, moscow(local)), expected))
}

test('equal times are a whole day, and 24:00 ends it without running over', () => {
  const allDay: Hours = { kind: 'hours', id: 'a', weekly: [{ days: ['mon'], from: '00:00', to: '24:00' }] }
  const round: Hours = { kind: 'hours', id: 'b', weekly: [{ days: ['mon'], from: '08:00', to: '08:00' }] }
  assert.equal(decide(allDay, moscow('2026-11-23T23:59')), 'open')
  assert.equal(decide(allDay, moscow('2026-11-24T00:00')), 'closed')
  assert.equal(decide(round, moscow('2026-11-23T07:59')), 'closed')
  assert.equal(decide(round, moscow('2026-11-24T07:59')), 'open')
  assert.equal(decide(round, moscow('2026-11-24T08:00')), 'closed')
})

const early: Hours = {
  kind: 'hours',
  id: 'early',
  timezone: 'Europe/Berlin',
  weekly: [{ days: ['sun'], from: '02:30', to: '03:30' }],
}
const berlin: readonly (readonly [utc: string, expected: string, why: string])[] = [
  ['2026-03-29T00:59:59Z', 'closed', '01:59:59, before the clocks skip an hour'],
  ['2026-03-29T01:00:00Z', 'open', '03:00, the skipped opening time has passed'],
  ['2026-03-29T01:30:00Z', 'closed', '03:30'],
  ['2026-10-25T00:30:00Z', 'open', '02:30 for the first time'],
  ['2026-10-25T01:00:00Z', 'closed', '02:00 for the second time'],
  ['2026-10-25T01:30:00Z', 'open', '02:30 for the second time'],
  ['2026-10-25T02:30:00Z', 'closed', '03:30'],
]
for (const [utc, expected, why] of berlin) {
  test(`when clocks change, the wall clock in Berlin counts: ${expected} at ${why}`, () =>
    assert.equal(decide(early, Date.parse(utc)), expected))
}
