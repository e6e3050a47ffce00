import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keys, number, seconds, timed } from '#tools/lib/words.ts'
import { Trouble } from '#tools/lib/trouble.ts'

test('a word with @ says when, with decimals; without, the usual time counts', () => {
  assert.deepEqual(timed('102@4.5', 1), { what: '102', atMs: 4_500 })
  assert.deepEqual(timed('a@b.wav@2', 1), { what: 'a@b.wav', atMs: 2_000 })
  assert.deepEqual(timed('102', 1.5), { what: '102', atMs: 1_500 })
})

test('seconds are 0 to 3600; anything else is told with the word it stands in', () => {
  assert.equal(seconds('0', 'x'), 0)
  assert.equal(seconds('3600', 'x'), 3_600)
  for (const text of ['', '-1', '3600.1', '1e3', 'soon', '.5', 'Infinity']) {
    assert.throws(
      () => seconds(text, `--listen ${text}`),
      (fault) => fault instanceof Trouble && fault.message.startsWith(`--listen ${text}: expected seconds`),
      text,
    )
  }
})

test('keys are those of a telephone', () => {
  assert.equal(keys('0123456789*#ABCD', 'x'), '0123456789*#ABCD')
  for (const text of ['', 'E', 'a', '1 2', '1'.repeat(41)]) assert.throws(() => keys(text, 'x'), Trouble)
})

test('a number is read as people write it', () => {
  assert.equal(number('+7 (495) 000-01.00'), '+74950000100')
  assert.equal(number('*70'), '*70')
  for (const text of ['', '+', '1', 'sales', '++7495', '1'.repeat(21)]) assert.throws(() => number(text), Trouble)
})
