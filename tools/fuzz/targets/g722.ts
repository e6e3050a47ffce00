import assert from 'node:assert/strict'
import { G722StreamDecoder, G722StreamEncoder } from '#media/codec/g722-stream.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const PACKET_BYTES = 160

function spoken(hz: number): Buffer {
  const encoder = new G722StreamEncoder()
  const packets = Array.from({ length: 3 }, (_, n) => {
    const payload = new Uint8Array(PACKET_BYTES)
    const pcm = Int16Array.from({ length: 320 }, (__, i) => 20_000 * Math.sin(((n * 320 + i) * 2 * Math.PI * hz) / 16_000))
    encoder.encode(pcm, payload, 0)
    return payload
  })
  return Buffer.concat(packets)
}

/** A stream of G.722, packet by packet, some of them lost: any octets are audio within bounds, as long as it should be. */
export const g722Target: FuzzTarget = {
  name: 'g722',
  seeds: () => [spoken(440), spoken(6_000), Buffer.alloc(480, 0xff), Buffer.alloc(480), Buffer.alloc(7, 0x55)],
  // One datagram's worth of octets is eight seconds of audio, kept as samples for concealment.
  limitMs: 300,
  run(bytes) {
    const decoder = new G722StreamDecoder()
    const pcm = new Int16Array(2 * PACKET_BYTES)
    let loudest = 0
    for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
      const payload = bytes.subarray(at, at + PACKET_BYTES)
      const count = decoder.decode(payload, pcm)
      assert.equal(count, 2 * payload.length)
      if (payload[0] === 0xaa) decoder.conceal(pcm)
      for (const sample of pcm.subarray(0, count)) if (Math.abs(sample) > loudest) loudest = Math.abs(sample)
    }
    decoder.free()
    return `${Math.ceil(Math.log2(loudest + 1))}`
  },
}
