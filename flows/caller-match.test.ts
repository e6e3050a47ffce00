import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallerList } from '#contract/documents/numbers.ts'
import { fits, isListed } from '#flows/caller-match.ts'

const table: readonly (readonly [pattern: string, number: string, fits: boolean])[] = [
  ['+371*', '+37120000000', true],
  ['+371*', '+37020000000', false],
  ['371*', '+37120000000', true],
  ['*4567', '+79990004567', true],
  ['*4567', '+79990045678', false],
  ['*999*', '+79990000001', true],
  ['*998*', '+79990000001', false],
  ['+7999000000?', '+79990000001', true],
  ['+7999000000?', '+799900000012', false],
  ['+79990000001', '+79990000001', true],
  ['79990000001', '+79990000001', true],
  ['100', '100', true],
  ['10', '100', false],
  ['+100', '100', false],
  ['1*', '1', true],
  ['?', '', false],
]
for (const [pattern, number, expected] of table) {
  test(`${pattern} ${expected ? 'fits' : 'does not fit'} ${number}`, () => assert.equal(fits(pattern, number), expected))
}

test('a list fits by its exact numbers and by its patterns', () => {
  const list: CallerList = { kind: 'caller-list', id: 'vip', numbers: ['+79990000001', '79990000002', '+371*'] }
  const numbers = ['+79990000001', '+79990000002', '+37120000000', '+79990000003']
  assert.deepEqual(
    numbers.map((number) => isListed(list, number)),
    [true, true, true, false],
  )
})
