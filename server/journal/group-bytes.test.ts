import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GroupBytes } from '#server/journal/group-bytes.ts'

test('lines of any length and script come out as they would joined, group after group', () => {
  const bytes = new GroupBytes()
  const lines = fc.array(fc.string({ unit: 'binary', maxLength: 30_000, size: 'max' }), { maxLength: 6, size: 'max' })
  fc.assert(
    fc.property(lines, lines, (facts, others) => {
      assert.deepEqual(bytes.of(facts, others), Buffer.from([...facts, ...others].join('')))
    }),
    { numRuns: 15 },
  )
})

test('the next group uses the memory of the one before, unless that was an unusual one', () => {
  const bytes = new GroupBytes()
  assert.equal(bytes.of(['one\n']).buffer, bytes.of(['two\n']).buffer)
  const huge = bytes.of(['x'.repeat(3_000_000)])
  assert.equal(huge.length, 3_000_000)
  assert.notEqual(bytes.of(['three\n']).buffer, huge.buffer)
  assert.equal(huge.indexOf('y'), -1)
})
