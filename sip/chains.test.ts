import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Chained, Chains, hashOf } from '#sip/chains.ts'

class Item implements Chained<Item> {
  next: Item | null = null
}

test('what has the same number stands in one chain, and any of it can be taken out', () => {
  for (const out of [0, 1, 2]) {
    const chains = new Chains<Item>()
    const items = [new Item(), new Item(), new Item()]
    const other = new Item()
    for (const item of items) chains.add(7, item)
    chains.add(8, other)
    assert.equal(chains.delete(7, items[out] as Item), true)
    assert.equal(chains.delete(7, items[out] as Item), false)
    assert.equal(chains.delete(7, other), false)
    assert.equal(chains.size, 3)
    assert.deepEqual([chains.isShorter(7, 2), chains.isShorter(7, 3), chains.isShorter(9, 1)], [false, true, true])
    assert.deepEqual(new Set(chains.all()), new Set([...items.filter((_, index) => index !== out), other]))
    for (const item of items) chains.delete(7, item)
    assert.equal(chains.first(7), null)
    assert.equal(chains.first(8), other)
    assert.equal(chains.size, 1)
  }
})

test('equal texts have the same number, others nearly always another', () => {
  const numbers = new Set<number>()
  for (let i = 0; i < 10_000; i++) numbers.add(hashOf(`z9hG4bK${Math.imul(i, 0x9e3779b1).toString(16)}`))
  assert.ok(numbers.size > 9_990)
  assert.equal(hashOf('abc'), hashOf(`${'ab'}c`))
  assert.equal(hashOf(''), 0)
})
