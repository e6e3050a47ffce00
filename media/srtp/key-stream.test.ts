import assert from 'node:assert/strict'
import { createCipheriv, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyStream } from '#media/srtp/key-stream.ts'
import type { Place } from '#media/srtp/packet-cipher.ts'

const salt = Buffer.from('a salt of 14 o')

/** By the mode itself (RFC 3711 §4.1.1): the IV is written out, and every packet has a cipher of its own. */
function expected(key: Buffer, plain: Buffer, { ssrc, high, low }: Place): string {
  const iv = Buffer.concat([salt, Buffer.alloc(2)])
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(ssrc, 4)
  mask.writeUInt32BE(high, 8)
  mask.writeUInt16BE(low, 12)
  iv.forEach((octet, i) => (iv[i] = octet ^ (mask[i] as number)))
  return createCipheriv(key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, iv)
    .update(plain)
    .toString('hex')
}

test('packets in any order, of any length, from any source, over every wrap get the key stream that is theirs', () => {
  // Steps from one packet to the next: mostly the next number, sometimes one that is lost, late or far.
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.constant(1) },
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -70_000, max: 70_000 }),
  )
  const length = fc.oneof({ weight: 8, arbitrary: fc.constant(160) }, fc.integer({ min: 1, max: 1500 }))
  const source = fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.constantFrom(2, 0xffff_ffff))
  const packets = fc.array(fc.record({ step, length, source }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.constantFrom(16, 32), fc.constantFrom(0, 65_528, 131_064, 2 ** 31 * 65_536 - 5), packets, (keyBytes, begin, sent) => {
      const key = Buffer.alloc(keyBytes, 9)
      const stream = new KeyStream({ cipher: createSecretKey(key), auth: createSecretKey(Buffer.alloc(20)), salt })
      let index = begin
      for (const { step: by, length: octets, source: ssrc } of sent) {
        index = Math.max(0, index + by)
        const place = { ssrc, high: Math.floor(index / 65_536), low: index % 65_536 }
        const plain = Buffer.alloc(octets, index & 0xff)
        const packet = Buffer.concat([Buffer.alloc(12), plain])
        stream.apply(packet, 12, packet.length, place)
        assert.equal(packet.subarray(12).toString('hex'), expected(key, plain, place), JSON.stringify(place))
      }
    }),
  )
})
