import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRtcp, RTP_HEADER_BYTES, RtpHeader, writeRtpHeader } from '#media/rtp/header.ts'

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          payloadType: fc.integer({ min: 0, max: 127 }),
          marker: fc.boolean(),
          sequence: fc.integer({ min: 0, max: 0xffff }),
          timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
        },
        { noNullPrototype: true },
      ),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      (fields, ssrc) => {
        const packet = Buffer.alloc(RTP_HEADER_BYTES + 160)
        writeRtpHeader(packet, 0, ssrc, fields)
        const header = new RtpHeader()
        assert.ok(header.read(packet))
        const { payloadType, marker, sequence, timestamp } = header
        assert.deepEqual({ payloadType, marker, sequence, timestamp }, fields)
        assert.deepEqual([header.ssrc, header.payloadStart, header.payloadEnd], [ssrc, 12, 172])
      },
    ),
  )
})

test('any bytes are read or refused, and what is read lies within the packet', () => {
  const header = new RtpHeader()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const packet = Buffer.from(bytes)
      if (!header.read(packet)) return
      assert.ok(header.payloadStart >= 12 && header.payloadStart <= header.payloadEnd && header.payloadEnd <= packet.length)
    }),
    { numRuns: 2000 },
  )
})

test('the payload begins behind CSRCs and the extension and ends before the padding', () => {
  const packet = Buffer.alloc(12 + 2 * 4 + 4 + 3 * 4 + 20 + 4)
  packet[0] = 0x80 | 0x20 | 0x10 | 2
  packet.writeUInt16BE(3, 12 + 8 + 2)
  packet[packet.length - 1] = 4
  const header = new RtpHeader()
  assert.ok(header.read(packet))
  assert.deepEqual([header.payloadStart, header.payloadEnd], [36, 56])
})

test('padding of no octets, an extension or CSRCs beyond the end, and another version are refused', () => {
  const header = new RtpHeader()
  const packet = (first: number, bytes = 20): Buffer => Buffer.concat([Buffer.from([first]), Buffer.alloc(bytes - 1)])
  assert.equal(header.read(packet(0x80 | 0x20)), false)
  assert.equal(header.read(packet(0x80 | 15)), false)
  assert.equal(header.read(packet(0x80 | 0x10, 15)), false)
  assert.equal(header.read(packet(0x40)), false)
  assert.equal(header.read(Buffer.alloc(0)), false)
})

test('RTCP on the RTP port is told apart by its packet type', () => {
  assert.equal(isRtcp(Buffer.from([0x80, 200])), true)
  assert.equal(isRtcp(Buffer.from([0x80, 0x80 | 8])), false)
  assert.equal(isRtcp(Buffer.from([0x80])), false)
})
