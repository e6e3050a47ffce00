import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryObjects } from 'node:v8'
import fc from 'fast-check'
import { InLine, OldestFirst } from '#base/oldest-first.ts'

class Item extends InLine<Item> {}

test('takes what was added first, whatever was added, deleted and taken before', () => {
  const action = fc.oneof(
    fc.nat(20).map((item) => ['add', item] as const),
    fc.nat(20).map((item) => ['delete', item] as const),
    fc.nat(20).map((item) => ['renew', item] as const),
    fc.constant(['take', 0] as const),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const oldest = new OldestFirst<Item>()
      const items = Array.from({ length: 21 }, () => new Item())
      const model: Item[] = []
      for (const [kind, index] of actions) {
        const item = items[index] ?? assert.fail()
        if (kind === 'take') assert.equal(oldest.take(), model.shift())
        else if (kind === 'delete') {
          assert.equal(oldest.delete(item), model.includes(item))
          if (model.includes(item)) model.splice(model.indexOf(item), 1)
        } else if (kind === 'renew') {
          oldest.renew(item)
          if (model.includes(item)) model.push(...model.splice(model.indexOf(item), 1))
        } else {
          oldest.add(item)
          if (!model.includes(item)) model.push(item)
        }
        assert.equal(oldest.size, model.length)
      }
    }),
  )
})

test('what stands in another line is not taken into this one', () => {
  const item = new Item()
  const [here, there] = [new OldestFirst<Item>(), new OldestFirst<Item>()]
  there.add(item)
  assert.throws(() => here.add(item), /another line/)
  assert.equal(there.take(), item)
  here.add(item)
  assert.equal(here.size, 1)
})

test('holds nothing of what was deleted, however much has come and gone', () => {
  const oldest = new OldestFirst<Item>()
  for (let wave = 0; wave < 100; wave++) {
    const items = Array.from({ length: 100 }, () => new Item())
    for (const item of items) oldest.add(item)
    for (const item of items) oldest.delete(item)
  }
  oldest.add(new Item())
  // A wave or two may still lie on the stack.
  assert.ok(queryObjects(Item, { format: 'count' }) <= 500)
})
