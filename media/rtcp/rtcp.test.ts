import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRtcp, type RtcpPacket } from '#media/rtcp/parse.ts'
import { ntpMiddle, RtcpSession } from '#media/rtcp/session.ts'
import { OutgoingStream } from '#media/rtp/outgoing.ts'
import { Reception } from '#media/rtp/reception.ts'

const WALL = Date.UTC(2026, 0, 5, 12)

function parsed(datagram: Buffer): RtcpPacket[] {
  const packets = parseRtcp(datagram)
  assert.ok(Array.isArray(packets))
  return packets
}

/** A stream that has sent `packets` packets. */
function sent(ssrc: number, packets: number): OutgoingStream {
  const stream = new OutgoingStream({ ssrc, sequence: 0, timestamp: 0 })
  for (let n = 0; n < packets; n++) {
    stream.stamp(Buffer.alloc(172), { payloadType: 0, marker: false, timestamp: stream.generate(n * 20), payloadBytes: 160 }, n * 20)
    stream.advance(160)
  }
  return stream
}

test('any bytes are parsed or refused by name', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const packets = parseRtcp(Buffer.from(bytes))
      if (Array.isArray(packets)) assert.ok(packets.length > 0)
      else assert.ok(packets.expected.length > 0 && packets.offset >= 0 && packets.offset <= bytes.length)
    }),
    { numRuns: 3000 },
  )
})

test('four octets, a length beyond the end, blocks beyond the packet and bad padding are refused', () => {
  const refused = (hex: string): string => {
    const packets = parseRtcp(Buffer.from(hex, 'hex'))
    assert.ok(!Array.isArray(packets))
    return packets.expected
  }
  assert.equal(refused(''), 'at least one packet')
  assert.equal(refused('80c8'), 'a header of 4 octets')
  assert.equal(refused('00c80000'), 'version 2')
  assert.equal(refused('81c90007'), 'a length within the datagram')
  assert.equal(refused('81c9000100000001'), 'as many blocks as are counted')
  assert.equal(refused('80c80000'), 'as many blocks as are counted')
  assert.equal(refused('a0ca000100000000'), 'padding within the packet')
  assert.equal(refused('9fcb000100000001'), 'as many blocks as are counted')
})

test('a sender reports what it sent and what it hears, and says its name', () => {
  const session = new RtcpSession('0123456789ab')
  const received = new Reception()
  for (const n of [1, 2, 4]) received.packet({ ssrc: 77, sequence: n, timestamp: n * 160, arrivedAt: n * 20 }, 160)
  const [report, names, ...rest] = parsed(session.compose(sent(42, 3), received, { now: 60, wall: WALL }))
  assert.deepEqual(rest, [])
  assert.equal(names?.kind, 'other')
  assert.ok(report?.kind === 'sender-report')
  assert.deepEqual([report.ssrc, report.packets, report.octets, report.rtpTimestamp], [42, 3, 480, 3 * 160])
  assert.equal(report.ntpMiddle, ntpMiddle(WALL))
  assert.equal(report.reports[0]?.ssrc, 77)
  assert.equal(report.reports[0]?.cumulativeLost, 1)
})

test('who sent nothing since the last report is a receiver, and a goodbye ends the packet', () => {
  const session = new RtcpSession('x')
  const stream = sent(42, 1)
  session.compose(stream, new Reception(), { now: 0, wall: WALL })
  const packets = parsed(session.compose(stream, new Reception(), { now: 5000, wall: WALL + 5000 }, true))
  assert.deepEqual(
    packets.map(({ kind }) => kind),
    ['receiver-report', 'other', 'bye'],
  )
})

test('two ends measure the round trip and each other’s loss', () => {
  const [a, b] = [new RtcpSession('a'), new RtcpSession('b')]
  const [fromA, fromB] = [sent(1, 5), sent(2, 5)]
  const atB = new Reception()
  for (const n of [0, 1, 4]) atB.packet({ ssrc: 1, sequence: n, timestamp: n * 160, arrivedAt: n * 20 }, 160)
  // A's report takes 30 ms to B, B answers 200 ms later, which takes 30 ms back.
  b.take(parsed(a.compose(fromA, new Reception(), { now: 1000, wall: WALL })), fromB, { now: 1030, wall: WALL + 30 })
  a.take(parsed(b.compose(fromB, atB, { now: 1230, wall: WALL + 230 })), fromA, { now: 1260, wall: WALL + 260 })
  assert.ok(a.roundTripMs !== null && Math.abs(a.roundTripMs - 60) < 1)
  assert.equal(a.remoteLost, 2)
  assert.equal(b.remoteLost, null)
})

test('a report about somebody else says nothing of us', () => {
  const session = new RtcpSession('a')
  const atB = new Reception()
  atB.packet({ ssrc: 999, sequence: 1, timestamp: 0, arrivedAt: 0 }, 160)
  session.take(parsed(new RtcpSession('b').compose(sent(2, 1), atB, { now: 0, wall: WALL })), sent(1, 1), { now: 0, wall: WALL })
  assert.equal(session.remoteLost, null)
})
