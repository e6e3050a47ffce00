import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareOf } from '#server/doctor/echo.ts'

const omega = (2 * Math.PI * 425) / 8_000

test('a tone is told from another tone, from noise and from silence', () => {
  const of = (make: (index: number) => number): number =>
    shareOf(
      Array.from({ length: 4_000 }, (_, index) => make(index)),
      omega,
    )
  assert.ok(of((n) => 8_000 * Math.sin(n * omega)) > 0.95)
  assert.ok(of((n) => 8_000 * Math.sin(n * omega * 1.5)) < 0.01)
  let seed = 7
  assert.ok(of(() => (seed = (seed * 16_807) % 2_147_483_647) / 100_000 - 10_000) < 0.02)
  assert.equal(
    of(() => 0),
    0,
  )
})
