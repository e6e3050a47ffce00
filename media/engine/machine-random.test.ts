import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { machineRandom } from '#media/engine/machine-random.ts'

test('a number is below its limit, whatever that is, and none is likelier than another', () => {
  const random = machineRandom()
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 47 }), (limit) => {
      const drawn = random.below(limit)
      assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < limit)
    }),
  )
  const counts = [0, 0, 0]
  for (let i = 0; i < 30_000; i++) {
    const drawn = random.below(3)
    counts[drawn] = (counts[drawn] ?? 0) + 1
  }
  // Ten standard deviations.
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 820, String(counts))
  assert.ok([...Array(200).keys()].some(() => random.below(2 ** 48 - 1) > 2 ** 46))
})

test('random bytes are as many as asked for, and not the same twice', () => {
  const random = machineRandom()
  const drawn = [1, 8, 4096, 5000, 8, 8].map((bytes) => random.hex(bytes))
  assert.deepEqual(
    drawn.map((hex) => hex.length / 2),
    [1, 8, 4096, 5000, 8, 8],
  )
  assert.equal(new Set(drawn).size, drawn.length)
})

test('where there is no number to draw that is said, not looked for', () => {
  const random = machineRandom()
  for (const limit of [0, -1, Number.NaN, 2 ** 48 + 1]) assert.throws(() => random.below(limit), RangeError)
  assert.equal(random.below(1), 0)
  assert.ok(random.below(2 ** 48) < 2 ** 48)
})
