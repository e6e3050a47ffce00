import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Fact } from '#contract/facts.ts'
import { Tail } from '#server/journal/tail.ts'

const fact = (seq: number, detail: string): Fact => ({
  ...{ kind: 'call.ended', tenant: 'alfa', call: 'c', at: 1, seq },
  outcome: { kind: 'failed', by: 'us', detail },
})

/** Texts of any length and script, and some that make the memory grow. */
const detail = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.nat(30_000).map((length) => 'ż'.repeat(length)),
)

test('what is read is what was put in, from any position on, whatever was forgotten before', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), detail }),
    fc.record({ kind: fc.constant('read' as const), skip: fc.nat(5), maxBytes: fc.nat(100_000) }),
    fc.record({ kind: fc.constant('forget' as const), count: fc.nat(6) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tail = new Tail(8, 10_000_000)
      const facts: Fact[] = []
      let drained = 7
      for (const each of steps) {
        if (each.kind === 'push') {
          facts.push(fact(facts.length + 1, each.detail))
          const newest = facts.at(-1) ?? assert.fail()
          tail.push(newest, JSON.stringify(newest))
        } else if (each.kind === 'forget') {
          drained = Math.min(7 + facts.length, drained + each.count)
          tail.forgetUpTo(drained)
        } else {
          const after = Math.min(7 + facts.length, drained + each.skip)
          const slice = tail.read(after, each.maxBytes) ?? assert.fail()
          const expected = facts.slice(after - 7, slice.upTo - 7)
          assert.deepEqual(slice.facts, expected)
          assert.deepEqual(slice.json, Buffer.from(JSON.stringify(expected)))
          // All that there was, or as much as was asked for.
          const bytes = expected.map((one) => Buffer.byteLength(JSON.stringify(one)) + 1)
          if (slice.upTo < 7 + facts.length) assert.ok(bytes.reduce((sum, one) => sum + one, 0) >= each.maxBytes)
          assert.ok(bytes.slice(0, -1).reduce((sum, one) => sum + one, 0) < Math.max(1, each.maxBytes))
        }
      }
      if (drained > 7) assert.equal(tail.read(6, 100), null)
    }),
    { numRuns: 200 },
  )
})

test('while the database is away no more is kept than there is room for, the newest', () => {
  const tail = new Tail(1, 100_000)
  for (let i = 1; i <= 1_000; i++) {
    const one = fact(i, 'x'.repeat(900))
    tail.push(one, JSON.stringify(one))
  }
  assert.equal(tail.read(0, 1), null)
  const newest = tail.read(999, 10_000)
  assert.deepEqual(
    newest?.facts.map(({ seq }) => seq),
    [1_000],
  )
  const held = Array.from({ length: 1_000 }, (_, after) => tail.read(after, 1)).filter((slice) => slice !== null)
  assert.ok(held.length > 40 && held.length <= 100, String(held.length))
})
