import assert from 'node:assert/strict'
import { test } from 'node:test'
import { highestRate, holds } from '#tools/bench/highest-rate.ts'

test('a rate holds with a call in a thousand lost and a message in a hundred sent again, and no more', () => {
  assert.equal(holds({ succeeded: 999, failed: 1, retransmissions: 10 }), true)
  assert.equal(holds({ succeeded: 998, failed: 2, retransmissions: 0 }), false)
  assert.equal(holds({ succeeded: 1000, failed: 0, retransmissions: 11 }), false)
})

test('the highest rate is found from below, and bad luck once does not hide it', async () => {
  let unlucky = true
  const asked: number[] = []
  const best = await highestRate(100, async (rate) => {
    asked.push(rate)
    const lost = rate > 250 || (rate === 196 && unlucky)
    if (rate === 196) unlucky = false
    return { succeeded: lost ? 0 : 100, failed: lost ? 100 : 0, retransmissions: 0 }
  })
  assert.equal(best, 235)
  assert.deepEqual(asked, [140, 196, 196, 274, 274, 235, 255, 255])
})

test('where nothing holds above the rate to begin with, that is the answer', async () => {
  assert.equal(await highestRate(100, async () => ({ succeeded: 0, failed: 1, retransmissions: 0 })), 100)
})
