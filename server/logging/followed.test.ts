import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '#base/log.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Fact } from '#contract/facts.ts'
import { FollowedCalls } from '#server/logging/followed.ts'

function follower(): { followed: FollowedCalls; lines: string[]; clock: VirtualClock } {
  const clock = new VirtualClock()
  const lines: string[] = []
  const log: Log = { ...silentLog, info: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`) }
  return { followed: new FollowedCalls(clock, log), lines, clock }
}

const answered = (call: string, tenant = 'acme'): Fact => ({ kind: 'leg.answered', tenant, call, seq: 2, at: 1, leg: 'a' })

test('one call is logged in full, with its id, until the time is over; others are not', () => {
  const { followed, lines, clock } = follower()
  followed.hear(answered('c1'))
  followed.follow('acme', { call: 'c1' }, { ms: 60_000, by: 'Ann' })
  lines.length = 0
  for (const fact of [answered('c1'), answered('c2'), answered('c1', 'beta')]) followed.hear(fact)
  assert.deepEqual(lines.length, 1)
  assert.match(lines[0] ?? '', /^leg\.answered .*"call":"c1"/)
  clock.advance(60_000)
  followed.hear(answered('c1'))
  assert.deepEqual([lines.length, followed.list('acme')], [1, []])
})

test('a phone is followed through its calls, a company through all, and nobody else can stop it', () => {
  const { followed, lines } = follower()
  const rule = followed.follow('acme', { device: 'desk' }, { ms: 60_000, by: 'Ann' })
  assert.ok(rule)
  lines.length = 0
  const endpoint = { kind: 'device', id: 'desk', number: '100' } as const
  followed.hear({ kind: 'leg.started', tenant: 'acme', call: 'c9', seq: 1, at: 1, leg: 'a', role: 'callee', endpoint })
  for (const call of ['c9', 'c8']) followed.hear(answered(call))
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['leg.started', 'leg.answered'],
  )
  assert.equal(followed.stop('beta', rule.id), false)
  assert.equal(followed.stop('acme', rule.id), true)
  followed.follow('acme', {}, { ms: 60_000, by: 'Ann' })
  lines.length = 0
  followed.hear(answered('c7'))
  assert.equal(lines.length, 1)
})

test('digits never reach the log', () => {
  const { followed, lines } = follower()
  followed.follow('acme', {}, { ms: 60_000, by: 'Ann' })
  followed.hear({ kind: 'digit.pressed', tenant: 'acme', call: 'c1', seq: 3, at: 1, leg: 'a', digit: '7', by: 'rtp' })
  assert.match(lines.at(-1) ?? '', /"digit":"\?"/)
})
