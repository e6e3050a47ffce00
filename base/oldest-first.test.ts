import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OldestFirst } from '#base/oldest-first.ts'

test('takes what was added first, whatever was added, deleted and taken before', () => {
  const action = fc.oneof(
    fc.nat(20).map((item) => ['add', item] as const),
    fc.nat(20).map((item) => ['delete', item] as const),
    fc.constant(['take', 0] as const),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), (actions) => {
      const oldest = new OldestFirst<number>()
      const model: number[] = []
      for (const [kind, item] of actions) {
        if (kind === 'take') assert.equal(oldest.take(), model.shift())
        else if (kind === 'delete') {
          assert.equal(oldest.delete(item), model.includes(item))
          if (model.includes(item)) model.splice(model.indexOf(item), 1)
        } else {
          oldest.add(item)
          if (!model.includes(item)) model.push(item)
        }
        assert.equal(oldest.size, model.length)
      }
    }),
  )
})
