import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import { Callbacks } from '#server/features/callbacks.ts'
import type { PresenceState } from '#server/presence/pidf.ts'

/** Extensions 100 and 101 of one company; what they are doing is what the test says. */
function office(kept = new Map<string, unknown>(), clock = new VirtualClock(1_000_000)) {
  const states = new Map<string, PresenceState>()
  const told: NewFact[] = []
  const called: string[] = []
  const callbacks = new Callbacks({
    clock,
    journal: {
      keep: (key, value) => void (value === null ? kept.delete(key) : kept.set(key, value)),
      kept: () => kept,
    },
    tell: (fact) => void told.push(fact),
    stateOf: (_tenant, number) => states.get(number) ?? 'available',
    call: (_tenant, extension, to) => {
      called.push(`${extension} to ${to}`)
      return { id: 'c9' }
    },
  })
  let seq = 0
  const fact = (one: Record<string, unknown>): void => callbacks.hear({ tenant: 'acme', call: 'c1', seq: ++seq, at: 0, ...one } as Fact)
  const missed = (outcome: Outcome): void => {
    fact({ kind: 'call.started', direction: 'internal', from: { number: '100' }, to: { number: '101' }, config: 1 })
    fact({ kind: 'call.ended', outcome })
  }
  const ask = (): void => {
    const failed = callbacks.failedOf('acme', '100')
    assert.ok(failed !== null)
    callbacks.request('acme', '100', failed)
  }
  return { callbacks, states, told, called, clock, kept, fact, missed, ask }
}

const busy: Outcome = { kind: 'busy', by: 'callee' }

test('who was busy is called when both are free, a little later', () => {
  const { states, called, clock, fact, missed, ask, told, kept } = office()
  states.set('101', 'on-the-phone')
  missed(busy)
  ask()
  clock.advance(60_000)
  assert.deepEqual(called, [])
  states.set('101', 'available')
  states.set('100', 'on-the-phone')
  fact({ kind: 'leg.ended', leg: 'l', outcome: busy })
  clock.advance(60_000)
  assert.deepEqual(called, [], 'who asked is on the phone now')
  states.set('100', 'available')
  fact({ kind: 'leg.ended', leg: 'l', outcome: busy })
  clock.advance(3_000)
  assert.deepEqual(called, ['100 to 101'])
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['callback.requested', 'callback.ended'],
  )
  assert.deepEqual([kept.size, clock.pending], [0, 0])
})

test('who did not answer is called after they have used their phone', () => {
  const { states, called, clock, fact, missed, ask } = office()
  missed({ kind: 'cancelled', by: 'caller' })
  ask()
  clock.advance(60_000)
  assert.deepEqual(called, [], 'they are still away')
  states.set('101', 'on-the-phone')
  fact({ kind: 'leg.answered', leg: 'l' })
  states.set('101', 'available')
  fact({ kind: 'leg.ended', leg: 'l', outcome: busy })
  clock.advance(3_000)
  assert.deepEqual(called, ['100 to 101'])
})

test('a pair has one request; it is withdrawn, or expires after an hour', () => {
  const { callbacks, states, clock, told, missed, ask, called } = office()
  states.set('101', 'on-the-phone')
  missed(busy)
  ask()
  ask()
  assert.equal(callbacks.of('acme').length, 1)
  assert.equal(callbacks.of('other').length, 0)
  assert.equal(callbacks.cancel('acme', '100'), 1)
  ask()
  clock.advance(60 * 60_000)
  assert.equal(callbacks.of('acme').length, 0)
  assert.deepEqual(
    told.flatMap((fact) => (fact.kind === 'callback.ended' ? [fact.why] : [])),
    ['cancelled', 'expired'],
  )
  assert.deepEqual([called, callbacks.failedOf('acme', '100'), clock.pending], [[], null, 0])
})

test('requests outlive the server', () => {
  const first = office()
  first.states.set('101', 'on-the-phone')
  first.missed(busy)
  first.ask()
  const { callbacks, fact, clock, called } = office(first.kept, first.clock)
  callbacks.restore()
  first.callbacks.close()
  fact({ kind: 'leg.ended', leg: 'l', outcome: busy })
  clock.advance(3_000)
  assert.deepEqual(called, ['100 to 101'])
})
