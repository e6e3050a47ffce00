import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from '#base/recent-map.ts'

test('a full map forgets what was set longest ago, and setting it again counts', () => {
  const map = new RecentMap<number>(3)
  for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i)
  map.set('a', 10)
  map.set('d', 3)
  assert.deepEqual(
    [...map.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [
      ['a', 10],
      ['c', 2],
      ['d', 3],
    ],
  )
  assert.equal(map.get('b'), undefined)
  assert.equal(map.get('a'), 10)
})

test('what is deleted makes room', () => {
  const map = new RecentMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  assert.equal(map.delete('a'), true)
  assert.equal(map.delete('a'), false)
  map.set('c', 3)
  assert.equal(map.get('b'), 2)
  map.set('d', 4)
  assert.deepEqual([map.size, map.get('b'), map.get('c'), map.get('d')], [2, undefined, 3, 4])
})

test('however much comes and goes, it holds the latest', () => {
  const map = new RecentMap<number>(100)
  for (let i = 0; i < 9_999; i++) {
    map.set(String(i), i)
    if (i % 3 === 0) map.delete(String(i))
  }
  const left = [...map.entries()].map(([, i]) => i).toSorted((a, b) => a - b)
  assert.equal(left.length, 100)
  assert.deepEqual(
    left,
    Array.from({ length: 150 }, (_, i) => 9_849 + i).filter((i) => i % 3 !== 0),
  )
})
