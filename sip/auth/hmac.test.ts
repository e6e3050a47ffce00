import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { HmacSha256 } from '#sip/auth/hmac.ts'

test('any key and text have the digest that OpenSSL gives them, one after the other', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { minLength: 1, maxLength: 4 }),
      (bytes, texts) => {
        const key = createSecretKey(bytes)
        const ours = new HmacSha256(key)
        for (const text of texts) {
          for (const encoding of ['hex', 'base64url'] as const) {
            assert.equal(ours.of(text, encoding), createHmac('sha256', key).update(text).digest(encoding))
          }
        }
      },
    ),
  )
})

test('a text longer than any before is hashed as a whole', () => {
  const key = createSecretKey(Buffer.alloc(32, 7))
  const text = 'żółw'.repeat(2_000)
  assert.equal(new HmacSha256(key).of(text, 'hex'), createHmac('sha256', key).update(text).digest('hex'))
})
