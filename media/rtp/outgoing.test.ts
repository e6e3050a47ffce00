import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RtpHeader, writeRtpHeader } from '#media/rtp/header.ts'
import { OutgoingStream } from '#media/rtp/outgoing.ts'

const START = { ssrc: 0xabcd, sequence: 0xfffe, timestamp: 0xffff_ff00 }

interface Sent {
  sequence: number
  timestamp: number
  marker: boolean
  ssrc: number
}

/** Forwards one packet of a source and reads what would be sent; null: it was held back. */
function forward(
  stream: OutgoingStream,
  source: object,
  packet: { ssrc: number; sequence: number; timestamp: number; at: number },
): Sent | null {
  const bytes = Buffer.alloc(172)
  writeRtpHeader(bytes, 0, packet.ssrc, { payloadType: 0, marker: false, sequence: packet.sequence & 0xffff, timestamp: packet.timestamp })
  const header = new RtpHeader()
  header.read(bytes)
  header.arrivedAt = packet.at
  const at = stream.forward(bytes, header, source, 8)
  if (at < 0) return null
  header.read(bytes.subarray(at))
  assert.equal(header.payloadType, 8)
  return { sequence: header.sequence, timestamp: header.timestamp, marker: header.marker, ssrc: header.ssrc }
}

function generate(stream: OutgoingStream, at: number): Sent {
  const bytes = Buffer.alloc(172)
  const timestamp = stream.generate(at)
  stream.stamp(bytes, { payloadType: 8, timestamp, payloadBytes: 160 }, at)
  stream.advance(160)
  const header = new RtpHeader()
  header.read(bytes)
  return { sequence: header.sequence, timestamp: header.timestamp, marker: header.marker, ssrc: header.ssrc }
}

test('one source keeps its spacing, over the wrap of sequence and timestamp, with the marker on its first packet only', () => {
  const stream = new OutgoingStream(START)
  const source = {}
  const sent = [0, 1, 2, 3].map((n) => forward(stream, source, { ssrc: 7, sequence: 100 + n, timestamp: 5000 + 160 * n, at: 20 * n }))
  assert.deepEqual(
    sent.map((each) => each?.sequence),
    [0xfffe, 0xffff, 0, 1],
  )
  assert.deepEqual(
    sent.map((each) => each?.timestamp),
    [0xffff_ff00, 0xffff_ffa0, 0x40, 0xe0],
  )
  assert.deepEqual(
    sent.map((each) => each?.marker),
    [true, false, false, false],
  )
  assert.ok(sent.every((each) => each?.ssrc === START.ssrc))
})

test('one source goes on for hours: nothing is held back, nothing numbered anew, however often its numbers wrap', () => {
  const stream = new OutgoingStream(START)
  const source = {}
  for (let n = 0; n < 200_000; n++) {
    const sent = forward(stream, source, { ssrc: 7, sequence: 100 + n, timestamp: 5000 + 160 * n, at: 20 * n })
    const { sequence, marker } = sent ?? assert.fail(`packet ${n} is held back`)
    if (sequence !== ((START.sequence + n) & 0xffff) || marker !== (n === 0)) assert.fail(`packet ${n} became ${sequence}, ${marker}`)
  }
  assert.equal(forward(stream, source, { ssrc: 7, sequence: 100 + 199_990, timestamp: 5000 + 160 * 199_990, at: 4_000_000 })?.marker, false)
})

test('a packet lost on the way stays lost, and one that comes late keeps its place', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 0 })
  const source = {}
  const of = (n: number): Sent | null => forward(stream, source, { ssrc: 7, sequence: n, timestamp: 160 * n, at: 20 * n })
  of(0)
  of(3)
  assert.equal(of(2)?.sequence, 12)
  assert.equal(of(4)?.sequence, 14)
})

test('another source goes on behind the last packet after the time that passed, marked', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 1000 })
  forward(stream, {}, { ssrc: 7, sequence: 1, timestamp: 0, at: 0 })
  const next = forward(stream, {}, { ssrc: 9, sequence: 60_000, timestamp: 77, at: 500 })
  assert.deepEqual(next, { sequence: 11, timestamp: 1000 + 4000, marker: true, ssrc: START.ssrc })
})

test('a late packet from before the change of source is held back', () => {
  const stream = new OutgoingStream(START)
  forward(stream, {}, { ssrc: 7, sequence: 1, timestamp: 0, at: 0 })
  const second = {}
  forward(stream, second, { ssrc: 9, sequence: 500, timestamp: 0, at: 20 })
  assert.equal(forward(stream, second, { ssrc: 9, sequence: 499, timestamp: 0, at: 21 }), null)
})

test('the same source under a new SSRC, or with a jump in numbers or time, begins anew without a jump of ours', () => {
  for (const jump of [
    { ssrc: 8, sequence: 2, timestamp: 160 },
    { ssrc: 7, sequence: 30_000, timestamp: 160 },
    { ssrc: 7, sequence: 2, timestamp: 0x8000_0000 },
  ]) {
    const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 1000 })
    const source = {}
    forward(stream, source, { ssrc: 7, sequence: 1, timestamp: 0, at: 0 })
    assert.deepEqual(forward(stream, source, { ...jump, at: 20 }), { sequence: 11, timestamp: 1160, marker: true, ssrc: START.ssrc })
  }
})

test('what we generate and what we forward follow each other seamlessly', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 0 })
  const peer = {}
  const sent = [
    generate(stream, 0),
    generate(stream, 20),
    forward(stream, peer, { ssrc: 7, sequence: 900, timestamp: 12_345, at: 45 }),
    forward(stream, peer, { ssrc: 7, sequence: 901, timestamp: 12_505, at: 65 }),
    generate(stream, 100),
  ]
  assert.deepEqual(
    sent.map((each) => each?.sequence),
    [10, 11, 12, 13, 14],
  )
  assert.deepEqual(
    sent.map((each) => each?.timestamp),
    [0, 160, 360, 520, 800],
  )
  assert.deepEqual(
    sent.map((each) => each?.marker),
    [true, false, true, false, true],
  )
})

test('what is generated late by less than 200 ms goes on as if it were not, and after more it follows real time again, marked', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 0 })
  for (let at = 0; at < 1000; at += 20) generate(stream, at)
  const at = [1200, 1200, 1220, 1240, 1480, 1500, 5000, 5020]
  const sent = at.map((now) => generate(stream, now))
  assert.deepEqual(
    sent.map(({ timestamp, marker }) => [timestamp / 8, marker]),
    [
      [1000, false],
      [1020, false],
      [1040, false],
      [1060, false],
      [1480, true],
      [1500, false],
      [5000, true],
      [5020, false],
    ],
  )
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    at.map((_, n) => 60 + n),
  )
})

test('what falls behind little by little is never more than 200 ms behind real time', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 0 })
  for (let n = 0, now = 0; n < 10_000; n++, now += n % 50 === 0 ? 40 : 20) {
    const { timestamp } = generate(stream, now)
    assert.ok(now - timestamp / 8 <= 200 && now >= timestamp / 8, `${timestamp / 8} at ${now}`)
  }
})

test('a packet that is swallowed leaves no gap', () => {
  const stream = new OutgoingStream({ ...START, sequence: 10, timestamp: 0 })
  const source = {}
  forward(stream, source, { ssrc: 7, sequence: 1, timestamp: 0, at: 0 })
  stream.swallow(source)
  assert.equal(forward(stream, source, { ssrc: 7, sequence: 3, timestamp: 320, at: 40 })?.sequence, 11)
})

test('whatever the sources do, a receiver sees each sequence number once and no step backwards at a change', () => {
  const step = fc.record({
    source: fc.integer({ min: 0, max: 3 }),
    wait: fc.integer({ min: 1, max: 400 }),
    skip: fc.integer({ min: 1, max: 3 }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const stream = new OutgoingStream({ ...START, sequence: 0, timestamp: 0 })
      const sources = [0, 1, 2].map((n) => ({ ssrc: n, sequence: n * 20_000, timestamp: n * 1_000_000 }))
      let at = 0
      let last: Sent | null = null
      for (const { source, wait, skip } of steps) {
        at += wait
        const from = sources[source]
        if (from !== undefined) {
          from.sequence += skip
          from.timestamp += skip * 160
        }
        const sent = from === undefined ? generate(stream, at) : forward(stream, from, { ...from, at })
        assert.ok(sent !== null)
        if (last !== null) {
          assert.ok(((sent.sequence - last.sequence) << 16) >> 16 > 0, 'sequence goes on')
          assert.ok(((sent.timestamp - last.timestamp) | 0) > 0, 'timestamp goes on')
        }
        last = sent
      }
    }),
  )
})

test('a stall in the middle of a digit is not told by its packets, where the marker is of another digit, but by the audio behind them', () => {
  const stream = new OutgoingStream(START)
  generate(stream, 0)
  const event = (at: number, marker: boolean): boolean => {
    const bytes = Buffer.alloc(16)
    const timestamp = stream.generate(at)
    stream.stamp(bytes, { payloadType: 101, marker, timestamp, payloadBytes: 4 }, at)
    stream.advance(160)
    const header = new RtpHeader()
    header.read(bytes)
    return header.marker
  }
  assert.deepEqual([event(20, true), event(40, false), event(900, false), event(920, false)], [true, false, false, false])
  assert.deepEqual([generate(stream, 940).marker, generate(stream, 960).marker], [true, false])
})
