import assert from 'node:assert/strict'
import { createHmac, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { HmacSha1 } from '#media/srtp/hmac-sha1.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('the test cases of RFC 2202 §3 come out, whose keys fit into a block', () => {
  const cases: readonly (readonly [key: Buffer, message: Buffer, digest: string])[] = [
    [Buffer.alloc(20, 0x0b), Buffer.from('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
    [Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
    [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
    [Buffer.from(Array.from({ length: 25 }, (_, i) => i + 1)), Buffer.alloc(50, 0xcd), '4c9007f4026250c6bc8414f9bf50c86c2d7235da'],
    [Buffer.alloc(20, 0x0c), Buffer.from('Test With Truncation'), '4c1a03424b55e07fe7f27be1d58bb9324a9a5a04'],
  ]
  for (const [key, message, digest] of cases) assert.equal(hex(new HmacSha1(createSecretKey(key)).of(message, message.length)), digest)
})

test('every length of message has the digest that OpenSSL gives it', () => {
  const key = createSecretKey(Buffer.alloc(20, 7))
  const ours = new HmacSha1(key)
  const message = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 37) & 0xff))
  for (let length = 0; length <= message.length; length++) {
    assert.equal(
      hex(ours.of(message, length)),
      createHmac('sha1', key).update(message.subarray(0, length)).digest('hex'),
      `${length} octets`,
    )
  }
})

test('any key and message have the digest that OpenSSL gives them', () => {
  const bytes = (most: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: 1, maxLength: most })
  fc.assert(
    fc.property(bytes(64), bytes(1600), (key, message) => {
      const secret = createSecretKey(key)
      assert.equal(hex(new HmacSha1(secret).of(message, message.length)), createHmac('sha1', secret).update(message).digest('hex'))
    }),
  )
})

test('a key longer than a block is refused', () => {
  assert.throws(() => new HmacSha1(createSecretKey(Buffer.alloc(65, 1))), RangeError)
})
