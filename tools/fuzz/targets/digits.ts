import assert from 'node:assert/strict'
import { EventReceiver, type Press } from '#media/dtmf/event-receiver.ts'
import { DIGITS, EVENT_BYTES, parseTelephoneEvent, writeTelephoneEvent } from '#media/dtmf/telephone-event.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

/** A packet as this target takes it: ms since the last, timestamp step, marker, then the payload. */
const RECORD_BYTES = 4 + EVENT_BYTES

function packet(wait: number, step: number, marker: boolean, event: { event: number; end: boolean; duration: number }): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES)
  bytes[0] = wait
  bytes.writeUInt16BE(step & 0xffff, 1)
  bytes[3] = marker ? 1 : 0
  writeTelephoneEvent({ volume: 10, ...event }, bytes, 4)
  return bytes
}

const press = (event: number): Buffer[] => [
  packet(20, 800, true, { event, end: false, duration: 160 }),
  packet(20, 0, false, { event, end: false, duration: 320 }),
  packet(20, 0, false, { event, end: true, duration: 480 }),
  packet(0, 0, false, { event, end: true, duration: 480 }),
]

/** Telephone events as packets lost, repeated and out of order bring them: no press is told twice, none lasts for ever. */
export const digitsTarget: FuzzTarget = {
  name: 'digits',
  seeds: () => [
    Buffer.concat(press(5)),
    Buffer.concat([...press(1), ...press(11), ...press(1)]),
    packet(200, 0xffff, false, { event: 16, end: true, duration: 0xffff }),
  ],
  // One datagram's worth of octets is eight thousand packets.
  limitMs: 25,
  run(bytes) {
    const receiver = new EventReceiver()
    const presses: Press[] = []
    let [now, timestamp, packets] = [0, 0, 0]
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      const [wait = 0, high = 0, low = 0, marker = 0] = bytes.subarray(at)
      now += wait
      timestamp = (timestamp + ((((high << 8) | low) << 16) >> 16)) >>> 0
      const payload = bytes.subarray(at + 4, at + RECORD_BYTES)
      const event = parseTelephoneEvent(payload)
      assert.equal(event === null, payload.length < EVENT_BYTES)
      presses.push(...receiver.packet(now, timestamp, marker % 2 === 1, payload))
      const late = receiver.expire(now)
      if (late !== null) presses.push(late)
      packets++
    }
    const last = receiver.expire(now + 100_000)
    if (last !== null) presses.push(last)
    assert.ok(!receiver.pending, 'a press is never told')
    assert.ok(presses.length <= packets, `${presses.length} presses of ${packets} packets`)
    for (const { digit, ms } of presses) assert.ok(DIGITS.includes(digit) && ms >= 0, `${digit} for ${ms} ms`)
    return presses
      .map(({ digit }) => digit)
      .join('')
      .slice(0, 6)
  },
}
