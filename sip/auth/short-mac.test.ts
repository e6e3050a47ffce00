import assert from 'node:assert/strict'
import { createHash, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { ShortMac } from '#sip/auth/short-mac.ts'

test('it is the first 96 bits of the hash of key and text, short and long, one after the other', () => {
  const key = Buffer.alloc(32, 9)
  const mac = new ShortMac(createSecretKey(key))
  for (const text of ['', 'a', 'payload\nrealm', 'ż'.repeat(300), 'x'.repeat(5_000), 'after'])
    assert.equal(mac.of(text), createHash('sha256').update(key).update(text).digest().subarray(0, 12).toString('base64url'))
})

test('it tells keys and texts apart', () => {
  const [one, other] = [1, 2].map((octet) => new ShortMac(createSecretKey(Buffer.alloc(32, octet))))
  assert.notEqual(one?.of('text'), other?.of('text'))
  assert.notEqual(one?.of('text'), one?.of('text '))
})
