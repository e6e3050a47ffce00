import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reception } from '#media/rtp/reception.ts'

function take(reception: Reception, sequence: number, options: { ssrc?: number; at?: number; timestamp?: number } = {}): void {
  const { ssrc = 5, at = sequence * 20, timestamp = sequence * 160 } = options
  reception.packet({ ssrc, sequence: sequence & 0xffff, timestamp: timestamp >>> 0, arrivedAt: at }, 160)
}

test('a stream without loss loses nothing over the wrap of its sequence numbers', () => {
  const reception = new Reception()
  for (let n = 65_500; n < 65_600; n++) take(reception, n)
  assert.equal(reception.packets, 100)
  assert.equal(reception.bytes, 16_000)
  assert.equal(reception.lost, 0)
  assert.equal(reception.report()?.highestSequence, 65_599)
})

test('loss is counted in all and as a fraction since the last report', () => {
  const reception = new Reception()
  for (let n = 0; n < 100; n++) if (n % 4 !== 3) take(reception, n)
  take(reception, 100)
  const first = reception.report()
  assert.equal(first?.cumulativeLost, 25)
  assert.equal(first?.fractionLost, Math.floor((25 * 256) / 101))
  for (let n = 101; n < 201; n++) take(reception, n)
  const second = reception.report()
  assert.equal(second?.fractionLost, 0)
  assert.equal(second?.cumulativeLost, 25)
})

test('duplicates and late packets make no loss', () => {
  const reception = new Reception()
  for (const n of [1, 2, 4, 3, 3, 5]) take(reception, n)
  assert.equal(reception.lost, 0)
  assert.equal(reception.report()?.fractionLost, 0)
})

test('jitter follows RFC 3550 §A.8', () => {
  const reception = new Reception()
  let expected = 0
  let transit = 0
  for (const [n, late] of [0, 3, 0, 10, 2, 0, 7].entries()) {
    take(reception, n, { at: n * 20 + late })
    if (n > 0) expected += (Math.abs(late * 8 - transit) - expected) / 16
    transit = late * 8
  }
  assert.ok(Math.abs(reception.jitterMs - expected / 8) < 1e-9)
  assert.equal(reception.report()?.jitter, Math.floor(expected))
})

test('a jump counts only when the next packet confirms it, and then begins a new stream whose past loss is kept', () => {
  const reception = new Reception()
  for (const n of [1, 2, 4]) take(reception, n)
  take(reception, 30_000)
  take(reception, 5)
  assert.equal(reception.lost, 1)
  for (const n of [40_000, 40_001, 40_002]) take(reception, n)
  assert.equal(reception.lost, 1)
  assert.equal(reception.report()?.highestSequence, 40_002)
})

test('a new SSRC begins a new stream; the totals go on', () => {
  const reception = new Reception()
  for (const n of [1, 3]) take(reception, n)
  for (const n of [9000, 9002]) take(reception, n, { ssrc: 6 })
  assert.equal(reception.ssrc, 6)
  assert.equal(reception.packets, 4)
  assert.equal(reception.lost, 2)
  assert.equal(reception.report()?.cumulativeLost, 1)
})

test('there is nothing to report before the first packet', () => {
  assert.equal(new Reception().report(), null)
})
