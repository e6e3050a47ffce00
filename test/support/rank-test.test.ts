import assert from 'node:assert/strict'
import { test } from 'node:test'
import { likenessOf } from '#test/support/rank-test.ts'

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i)

test('what is alike is likely, what is moved is not, and ties count half', () => {
  assert.ok(likenessOf(upTo(50), upTo(50)) > 0.99)
  assert.equal(likenessOf([1, 1, 1], [1, 1, 1]), 1)
  assert.ok(likenessOf(upTo(50), upTo(50, 50)) < 1e-15)
  // Of 2,500 pairs 780 are the other way round; 1,250 are expected, give or take 145.06: 3.24 deviations.
  const moved = likenessOf(upTo(50), upTo(50, 10.5))
  assert.ok(moved > 0.0011 && moved < 0.0013, String(moved))
})
