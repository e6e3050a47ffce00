import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamParams } from '#media/engine.ts'
import { parseRtcp } from '#media/rtcp/parse.ts'
import { classOf, mosOf, ratingOf } from '#media/rtcp/quality.ts'
import { QualityWatch } from '#media/rtcp/quality-watch.ts'
import { RtcpSession } from '#media/rtcp/session.ts'
import { OutgoingStream } from '#media/rtp/outgoing.ts'
import { Reception } from '#media/rtp/reception.ts'

const stream: StreamParams = {
  ...{ remote: null, rtcp: null, accept: { mode: 'exact' }, codec: 'PCMA', payloadType: 8, dtmfPayloadType: null },
  ...{ direction: 'sendrecv', ptimeMs: 20, silenceMs: 0 },
}
const clean = { loss: 0, burst: 1, jitterMs: 0, roundTripMs: 20, ptimeMs: 20 }

test('a clean G.711 call is as good as G.107 has it, and loss, bursts, delay and jitter each make it worse', () => {
  const best = ratingOf('PCMA', clean)
  assert.ok(best > 92 && best < 93.2)
  assert.equal(classOf(best), 'good')
  assert.ok(Math.abs(mosOf(best) - 4.4) < 0.05)
  for (const worse of [{ loss: 0.02 }, { jitterMs: 60 }, { roundTripMs: 500 }]) assert.ok(ratingOf('PCMA', { ...clean, ...worse }) < best)
  assert.ok(ratingOf('PCMA', { ...clean, loss: 0.05, burst: 3 }) < ratingOf('PCMA', { ...clean, loss: 0.05 }))
  assert.ok(ratingOf('PCMA', { ...clean, loss: 0.05 }) < ratingOf('opus', { ...clean, loss: 0.05 }))
})

test('R becomes a score as in G.107 Annex B, and a class', () => {
  assert.deepEqual([mosOf(-3), mosOf(100), mosOf(0)], [1, 4.5, 1])
  assert.deepEqual(
    [90, 80, 70, 60].map((r) => Math.round(mosOf(r) * 100) / 100),
    [4.34, 4.02, 3.6, 3.1],
  )
  assert.deepEqual([80, 79.9, 70, 60, 59].map(classOf), ['good', 'fair', 'fair', 'poor', 'bad'])
})

/** A stream of 50 packets a second, of which `lost` says which are missing; looked at as an engine does. */
function watched(seconds: number, lost: (n: number) => boolean) {
  const reception = new Reception()
  const watch = new QualityWatch(reception, new RtcpSession('x'), { outgoing: { packets: 0 } }, 0)
  const told: { at: number; class: string }[] = []
  for (let n = 0; n <= seconds * 50; n++) {
    if (!lost(n)) reception.packet({ ssrc: 1, sequence: n & 0xffff, timestamp: n * 160, arrivedAt: n * 20 }, 160)
    const quality = n % 5 === 0 ? watch.housekeep(stream, n * 20) : null
    if (quality !== null) told.push({ at: n / 50, class: quality.class })
  }
  return { told, whole: watch.whole(stream) }
}

test('a change of class is told once, with at least ten seconds in between, and the worst stretch is remembered', () => {
  const { told, whole } = watched(60, (n) => n > 1000 && n <= 1500 && n % 5 === 0)
  assert.deepEqual(told, [
    { at: 25, class: 'bad' },
    { at: 35, class: 'good' },
  ])
  assert.ok(whole.received !== null && whole.received.worst.lost >= 19 && whole.received.worst.lost <= 21)
  assert.ok(whole.received.lost > 3 && whole.received.lost < 4)
  assert.ok(whole.received.worst.mos < whole.received.mos)
  assert.deepEqual(watched(60, () => false).told, [])
})

/** A peer that hears our 50 packets a second but for those that are lost, and reports every five seconds: what is told, by the second. */
function reported(seconds: number, lost: (n: number) => boolean) {
  const heard = new Reception()
  const atPeer = new Reception()
  const session = new RtcpSession('x')
  const peer = new RtcpSession('y')
  const outgoing = new OutgoingStream({ ssrc: 1, sequence: 0, timestamp: 0 })
  const theirs = new OutgoingStream({ ssrc: 2, sequence: 0, timestamp: 0 })
  const watch = new QualityWatch(heard, session, { outgoing }, 0)
  const told: { at: number; class: string }[] = []
  for (let n = 0; n <= seconds * 50; n++) {
    const now = n * 20
    const packet = { sequence: n & 0xffff, timestamp: n * 160, arrivedAt: now }
    heard.packet({ ssrc: 2, ...packet }, 160)
    if (!lost(n)) atPeer.packet({ ssrc: 1, ...packet }, 160)
    outgoing.stamp(Buffer.alloc(172), { payloadType: 8, marker: false, timestamp: n * 160, payloadBytes: 160 }, now)
    if (n % 250 === 240) {
      const report = parseRtcp(peer.compose(theirs, atPeer, { now, wall: now }))
      assert.ok(Array.isArray(report))
      session.take(report, outgoing, { now, wall: now })
    }
    const quality = n % 5 === 0 ? watch.housekeep(stream, now) : null
    if (quality !== null) told.push({ at: n / 50, class: quality.class })
  }
  return { told, whole: watch.whole(stream) }
}

test('what the peer loses now is told now, however long all was well, and however long it was not', () => {
  const hour = 3600 * 50
  const gone = reported(3660, (n) => n > hour && n <= hour + 1500)
  assert.deepEqual(gone.told, [
    { at: 3610, class: 'bad' },
    { at: 3640, class: 'good' },
  ])
  assert.equal(gone.whole.class, 'fair', 'of an hour it is little')
  assert.ok(gone.whole.sent !== null && gone.whole.sent.lost > 0.7 && gone.whole.sent.lost < 0.9)
  const broken = reported(3660, (n) => n > hour && n <= hour + 1500 && n % 5 > 0)
  assert.deepEqual(broken.told, [
    { at: 3605, class: 'bad' },
    { at: 3640, class: 'good' },
  ])
  const mended = reported(120, (n) => n <= 1500 && n % 5 > 0)
  assert.deepEqual(mended.told, [
    { at: 5, class: 'bad' },
    { at: 40, class: 'good' },
  ])
  assert.equal(mended.whole.class, 'bad', 'of two minutes it is much')
})

test('nothing is said of a stream of which nothing is known', () => {
  const { told, whole } = watched(20, () => true)
  assert.deepEqual([told, whole.received, whole.sent, whole.class], [[], null, null, 'good'])
})

test('VoIP metrics of an extended report are read, and blocks before them over', () => {
  const metrics = Buffer.alloc(36)
  metrics.set([7, 0, 0, 8, 0, 0, 0, 42, 13, 26])
  metrics.writeUInt16BE(80, 16)
  metrics.writeUInt16BE(120, 18)
  const other = Buffer.from([4, 0, 0, 1, 1, 2, 3, 4])
  const head = Buffer.from([0x80, 207, 0, 1 + 2 + 9, 0, 0, 0, 9])
  const parsed = parseRtcp(Buffer.concat([head, other, metrics]))
  assert.deepEqual(parsed, [{ kind: 'voip-metrics', ssrc: 42, lossRate: 13, discardRate: 26, roundTripMs: 80, endSystemDelayMs: 120 }])
  assert.ok('kind' in parseRtcp(Buffer.concat([Buffer.from([0x80, 207, 0, 2, 0, 0, 0, 9]), Buffer.from([7, 0, 0, 8])])))
})
