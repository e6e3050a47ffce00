import assert from 'node:assert/strict'
import { EventReceiver } from '#media/dtmf/event-receiver.ts'
import { isRtcp, RtpHeader } from '#media/rtp/header.ts'
import { Reception } from '#media/rtp/reception.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const voice = Buffer.concat([Buffer.from([0x80, 0x08, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4]), Buffer.alloc(160, 0xd5)])
const digit = Buffer.from([0x80, 0xe5, 0, 2, 0, 0, 1, 64, 1, 2, 3, 4, 5, 0x8a, 3, 32])
const adorned = Buffer.from([0xb1, 0, 0, 3, 0, 0, 0, 0, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0, 0, 0, 0, 7, 7, 0, 2])
const DIGIT_PAYLOAD_TYPE = 101

/** A datagram is cut into packets (a length octet before each, in fours), which go the way of one stream. */
export const rtpTarget: FuzzTarget = {
  name: 'rtp',
  seeds: () => [voice, digit, adorned, stream(voice, digit, digit), stream(adorned, voice)],
  // Up to ten thousand packets.
  limitMs: 50,
  run(bytes) {
    const header = new RtpHeader()
    const reception = new Reception()
    const events = new EventReceiver()
    let [taken, refused, presses] = [0, 0, 0]
    for (const packet of packetsOf(Buffer.from(bytes))) {
      if (isRtcp(packet) || !header.read(packet)) {
        refused++
        continue
      }
      const { payloadStart, payloadEnd } = header
      assert.ok(payloadStart >= 12 && payloadStart <= payloadEnd && payloadEnd <= packet.length, `payload ${payloadStart} to ${payloadEnd}`)
      header.arrivedAt = ++taken * 20
      reception.packet(header, packet.length - 12)
      const payload = packet.subarray(payloadStart, payloadEnd)
      if (header.payloadType === DIGIT_PAYLOAD_TYPE)
        presses += events.packet(header.arrivedAt, header.timestamp, header.marker, payload).length
    }
    const report = reception.report()
    assert.ok(report === null || (report.fractionLost >= 0 && report.fractionLost <= 255 && Number.isFinite(report.jitter)))
    return `${Math.min(taken, 4)} ${Math.min(refused, 4)} ${Math.min(presses, 4)} ${report !== null && report.cumulativeLost > 0}`
  },
}

function stream(...packets: Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from([0xff]),
    ...packets.flatMap((packet) => [Buffer.from([packet.length >> 2]), packet.subarray(0, (packet.length >> 2) * 4)]),
  ])
}

function* packetsOf(bytes: Buffer): Generator<Buffer> {
  if (bytes[0] !== 0xff) return yield bytes
  for (let at = 1; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0) * 4
    yield bytes.subarray(at + 1, end)
    at = end
  }
}
