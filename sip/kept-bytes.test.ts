import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeptBytes } from '#sip/kept-bytes.ts'

test('what is kept stays as it was, whatever is kept beside it and whatever becomes of the original', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 6_000 }), { maxLength: 30 }), (messages) => {
      const kept = new KeptBytes()
      const copies = messages.map((bytes) => [Array.from(bytes), kept.keep(bytes)] as const)
      for (const bytes of messages) bytes.fill(0)
      for (const [before, copy] of copies) assert.deepEqual(Array.from(copy), before)
    }),
  )
})

test('small pieces share memory with each other, and with nothing else', () => {
  const kept = new KeptBytes()
  const pool = Buffer.alloc(65_536)
  const pieces = Array.from({ length: 32 }, (_, i) => kept.keep(pool.subarray(i * 1_000, i * 1_000 + 500)))
  assert.equal(new Set(pieces.map(({ buffer }) => buffer)).size, 1)
  assert.ok((pieces[0]?.buffer.byteLength ?? 0) <= 16_384)
  assert.equal(kept.keep(pool.subarray(0, 10_000)).buffer.byteLength, 10_000)
})
