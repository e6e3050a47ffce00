import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backOffMs } from '#web/realtime/back-off.ts'

test('each try waits twice as long as the one before, up to ten seconds', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map((attempt) => backOffMs(attempt, 1)),
    [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
  )
})

test('pages that lost the same server do not come back all at once', () => {
  assert.equal(backOffMs(4, 0), 2_000)
  assert.equal(backOffMs(4, 0.5), 3_000)
})
