import assert from 'node:assert/strict'
import { createCipheriv, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { SrtpReceiver } from '#media/srtp/receiver.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import type { SrtpSuite } from '#media/srtp/suites.ts'

/** RFC 3711 once more, each packet by itself: as slow as the formulas, with ciphers and digests that are not ours. */
class Formulas {
  readonly #master: Buffer
  readonly #salt: Buffer

  constructor(master: Buffer, salt: Buffer) {
    this.#master = master
    this.#salt = salt
  }

  rtp(packet: Buffer, head: number, roc: number, tagBytes: number): Buffer {
    const index = BigInt(roc) * 65_536n + BigInt(packet.readUInt16BE(2))
    const sealed = this.#encrypted(packet, { head, ssrc: packet.readUInt32BE(8), index, label: 0 })
    const tag = createHmac('sha1', this.#key(1, 20)).update(sealed).update(word(roc)).digest()
    return Buffer.concat([sealed, tag.subarray(0, tagBytes)])
  }

  rtcp(packet: Buffer, index: number): Buffer {
    const sealed = this.#encrypted(packet, { head: 8, ssrc: packet.readUInt32BE(4), index: BigInt(index), label: 3 })
    const signed = Buffer.concat([sealed, word(2 ** 31 + index)])
    return Buffer.concat([signed, createHmac('sha1', this.#key(4, 20)).update(signed).digest().subarray(0, 10)])
  }

  /** §4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16. */
  #encrypted(packet: Buffer, by: { head: number; ssrc: number; index: bigint; label: number }): Buffer {
    const salt = BigInt(`0x${this.#key(by.label + 2, 14).toString('hex')}`)
    const iv = (salt << 16n) ^ (BigInt(by.ssrc) << 64n) ^ (by.index << 16n)
    const cipher = createCipheriv(this.#algorithm, this.#key(by.label, this.#master.length), block(iv))
    return Buffer.concat([packet.subarray(0, by.head), cipher.update(packet.subarray(by.head))])
  }

  /** §4.3.1, with a key derivation rate of 0. */
  #key(label: number, bytes: number): Buffer {
    const x = (BigInt(`0x${this.#salt.toString('hex')}`) ^ (BigInt(label) << 48n)) << 16n
    return createCipheriv(this.#algorithm, this.#master, block(x)).update(Buffer.alloc(bytes))
  }

  get #algorithm(): string {
    return this.#master.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr'
  }
}

function block(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex')
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const suites: readonly [SrtpSuite, keyBytes: number, tagBytes: number][] = [
  ['AES_CM_128_HMAC_SHA1_80', 16, 10],
  ['AES_CM_128_HMAC_SHA1_32', 16, 4],
  ['AES_256_CM_HMAC_SHA1_80', 32, 10],
  ['AES_256_CM_HMAC_SHA1_32', 32, 4],
]

/** A packet of RTP, with an extension of a word behind its header or none. */
function rtpPacket(index: number, ssrc: number, head: 12 | 20, octets: number): Buffer {
  const packet = Buffer.alloc(head + octets, index)
  packet.writeUInt16BE(head === 20 ? 0x9000 : 0x8000, 0)
  packet.writeUInt16BE(index & 0xffff, 2)
  packet.writeUInt32BE(ssrc, 8)
  if (head === 20) packet.writeUInt32BE(0xbede_0001, 12)
  return packet
}

test('every packet of a stream, over wraps and gaps, is what the formulas of RFC 3711 give, opens once, and a forged one changes nothing', () => {
  const step = fc.oneof({ weight: 30, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 30_000 }))
  const octets = fc.oneof({ weight: 20, arbitrary: fc.constant(160) }, fc.nat(1480))
  const packets = fc.array(fc.record({ step, octets, head: fc.constantFrom(12 as const, 20 as const), rtcp: fc.boolean() }), {
    maxLength: 80,
  })
  const begins = fc.oneof(fc.integer({ min: 65_520, max: 65_535 }), fc.nat(65_535))
  const salt = fc.uint8Array({ minLength: 14, maxLength: 14 })
  const stream = fc.record({ suite: fc.constantFrom(...suites), salt, begin: begins, ssrc: fc.nat(0xffff_ffff), sent: packets })
  fc.assert(
    fc.property(stream, ({ suite, salt: salted, begin, ssrc, sent }) => {
      const [name, keyBytes, tagBytes] = suite
      const [master, saltBytes] = [Buffer.alloc(keyBytes, ssrc), Buffer.from(salted)]
      const key = { suite: name, key: Buffer.concat([master, saltBytes]).toString('base64') }
      const [sender, receiver] = [SrtpSender.open(key) ?? assert.fail(), SrtpReceiver.open(key) ?? assert.fail()]
      const formulas = new Formulas(master, saltBytes)
      let index = begin
      let reports = 0
      for (const { step: by, octets: length, head, rtcp } of sent) {
        const packet = rtpPacket(index, ssrc, head, length)
        const sealed = Buffer.from(sender.protect(packet, 0, packet.length) ?? assert.fail('not sent'))
        assert.deepEqual(sealed, formulas.rtp(packet, head, Math.floor(index / 65_536), tagBytes))
        const forged = Buffer.from(sealed)
        forged[head] = (sealed[head] ?? 0) ^ 1
        assert.equal(receiver.unprotect(forged), -1)
        const opened = Buffer.from(sealed)
        assert.deepEqual(opened.subarray(0, receiver.unprotect(opened)), packet)
        assert.equal(receiver.unprotect(sealed), -1, 'a replay')
        if (rtcp) {
          const report = Buffer.alloc(8 + (length & ~3), 7)
          const made = Buffer.from(sender.protectRtcp(report) ?? assert.fail('not sent'))
          assert.deepEqual(made, formulas.rtcp(report, reports++))
          assert.deepEqual(made.subarray(0, receiver.unprotectRtcp(made)), report)
        }
        index += by
      }
    }),
    { numRuns: 40 },
  )
})
