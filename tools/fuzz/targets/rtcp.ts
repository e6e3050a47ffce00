import assert from 'node:assert/strict'
import { parseRtcp } from '#media/rtcp/parse.ts'
import { RtcpSession } from '#media/rtcp/session.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const OUR_SSRC = 0x01020304

const block = [1, 2, 3, 4, 0x20, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0, 40, 0xaa, 0xbb, 0xcc, 0xdd, 0, 1, 0, 0]
const senderReport = Buffer.from([
  0x81,
  200,
  0,
  12,
  9,
  9,
  9,
  9,
  0,
  0,
  0,
  1,
  0x80,
  0,
  0,
  0,
  0,
  0,
  0,
  160,
  0,
  0,
  0,
  1,
  0,
  0,
  0,
  160,
  ...block,
])
const receiverReport = Buffer.from([0x81, 201, 0, 7, 9, 9, 9, 9, ...block])
const description = Buffer.from([0x81, 202, 0, 3, 9, 9, 9, 9, 1, 3, 0x61, 0x62, 0x63, 0, 0, 0])
const bye = Buffer.from([0x81, 203, 0, 1, 9, 9, 9, 9])
/** VoIP metrics behind a receiver reference time (RFC 3611 §4.4, §4.7). */
const extended = Buffer.from([
  ...[0x80, 207, 0, 13, 9, 9, 9, 9],
  ...[4, 0, 0, 2, 0, 0, 0, 1, 0x80, 0, 0, 0],
  ...[7, 0, 0, 8, 1, 2, 3, 4, 12, 3, 0, 0, 0, 0, 0, 20, 0, 80, 0, 40],
  ...[0xf0, 0xce, 127, 16, 90, 127, 43, 43, 0, 0, 0, 60, 0, 80, 0, 200],
])
const padded = Buffer.from([0xa0, 203, 0, 1, 0, 0, 0, 4])

/** A compound packet, and a session that takes what it says. */
export const rtcpTarget: FuzzTarget = {
  name: 'rtcp',
  seeds: () => [
    senderReport,
    receiverReport,
    description,
    bye,
    padded,
    extended,
    Buffer.concat([senderReport, extended]),
    Buffer.concat([senderReport, description, bye]),
    Buffer.concat([receiverReport, padded]),
  ],
  run(bytes) {
    const packets = parseRtcp(Buffer.from(bytes))
    if (!Array.isArray(packets)) {
      assert.ok(packets.offset >= 0 && packets.offset <= bytes.length)
      return packets.expected
    }
    const session = new RtcpSession('fuzz')
    session.take(packets, { ssrc: OUR_SSRC, packets: 250 }, { now: 1000, wall: 1_700_000_000_000 })
    assert.ok(session.roundTripMs === null || session.roundTripMs >= 0, `round trip of ${session.roundTripMs} ms`)
    return packets
      .slice(0, 6)
      .map(({ kind }) => kind)
      .join(' ')
  },
}
