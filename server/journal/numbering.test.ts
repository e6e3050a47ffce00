import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { NewFact } from '#contract/facts.ts'
import { type KeptNumbering, Numbering } from '#server/journal/numbering.ts'

function fact(tenant: string, call: string, kind: 'call.ended' | 'leg.ringing' = 'leg.ringing'): NewFact {
  const outcome = { kind: 'completed', by: 'us' } as const
  return kind === 'call.ended' ? { kind, tenant, call, outcome } : { kind, tenant, call, leg: `${call}.1`, earlyMedia: false }
}

/** A life in which one call goes on and three have ended, of two companies. */
function life(clock: VirtualClock): Numbering {
  const numbering = new Numbering(clock)
  for (const [tenant, call] of [
    ['acme', 'a'],
    ['acme', 'b'],
    ['beta', 'c'],
    ['acme', 'd'],
  ] as const) {
    numbering.stamp(fact(tenant, call))
    if (call !== 'd') numbering.stamp(fact(tenant, call, 'call.ended'))
  }
  return numbering
}

function inNextLife(kept: KeptNumbering, clock: VirtualClock): Numbering {
  const next = new Numbering(clock)
  next.fromKept(JSON.parse(JSON.stringify(kept)) as KeptNumbering)
  return next
}

test('a late fact goes on with the numbers of its call in the next life, until the call is forgotten', () => {
  const clock = new VirtualClock(1_000)
  const next = inNextLife(life(clock).toKept(), clock)
  assert.deepEqual(
    next.open().map(({ call, seq }) => [call, seq]),
    [['d', 1]],
  )
  for (const [tenant, call, seq] of [
    ['acme', 'a', 3],
    ['acme', 'b', 3],
    ['beta', 'c', 3],
    ['acme', 'd', 2],
  ] as const)
    assert.equal(next.stamp(fact(tenant, call)).seq, seq, call)
  clock.advance(61_000)
  next.stamp(fact('acme', 'd', 'call.ended'))
  assert.equal(next.stamp(fact('acme', 'a')).seq, 1)
})

test('what a file of before says of ended calls is read, too', () => {
  const clock = new VirtualClock(1_000)
  const { companies, calls } = life(clock).toKept()
  const next = inNextLife({ companies, calls: [...calls, ['z', 'acme', 7, 1_000, [], [], true]] }, clock)
  assert.equal(next.stamp(fact('acme', 'z')).seq, 8)
  assert.deepEqual(next.open().length, 1)
})
