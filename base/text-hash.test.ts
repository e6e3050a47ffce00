import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textHash } from '#base/text-hash.ts'

test('equal texts have the same number, others nearly always another, wherever they differ', () => {
  const numbers = new Set<number>()
  for (let i = 0; i < 10_000; i++) {
    const word = i.toString(36)
    numbers.add(textHash(`${word}-of-a-call@host.example`))
    numbers.add(textHash(`call@host.example-${word}`))
    numbers.add(textHash('call@host.example', textHash(word)))
  }
  assert.ok(numbers.size > 29_990)
  assert.equal(textHash('abc'), textHash(`${'ab'}c`))
  assert.notEqual(textHash('c', textHash('ab')), textHash('bc', textHash('a')))
  assert.notEqual(textHash(''), textHash('', textHash('')))
})
