import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NonceUses } from '#sip/auth/nonce-uses.ts'

test('each count of a nonce is taken once, out of order up to 32 below the highest', () => {
  const uses = new NonceUses()
  uses.add(7, 1_000)
  const counts = [1, 1, 5, 3, 3, 4, 40, 8, 9, 9, 39, 41, 0, 4_294_967_295, 4_294_967_264, 4_294_967_263]
  const taken = counts.filter((nc) => uses.mark(7, nc))
  assert.deepEqual(taken, [1, 5, 3, 4, 40, 9, 39, 41, 4_294_967_295, 4_294_967_264])
})

test('the ring grows in use, keeps what it holds, and gives up the oldest first', () => {
  const uses = new NonceUses()
  const model = new Map<number, { until: number; seen: Set<number> }>()
  let dropped = 0
  for (let i = 0; i < 5_000; i++) {
    // Not in the order of their serial numbers: they are used in any order.
    const serial = i ^ 5
    assert.equal(uses.has(serial), false)
    uses.add(serial, i * 10)
    model.set(serial, { until: i * 10, seen: new Set() })
    if (i % 3 === 2) {
      const [oldest] = model
      assert.deepEqual(uses.oldest, { serial: oldest?.[0], until: oldest?.[1].until })
      uses.dropOldest()
      if (oldest !== undefined) model.delete(oldest[0])
      dropped++
    }
    const other = (i * 7 + 1) % (i + 1)
    const known = model.get(other)
    assert.equal(uses.has(other), known !== undefined)
    const nc = (i % 20) + 1
    if (known === undefined) continue
    assert.equal(uses.mark(other, nc), !known.seen.has(nc), `${other} ${nc}`)
    known.seen.add(nc)
  }
  assert.equal(uses.size, 5_000 - dropped)
  assert.equal(uses.size, model.size)
})
