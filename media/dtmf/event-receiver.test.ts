import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventReceiver, LOST_END_MS, type Press } from '#media/dtmf/event-receiver.ts'
import { EventSender } from '#media/dtmf/event-sender.ts'
import { digitOf, eventOf, parseTelephoneEvent, writeTelephoneEvent } from '#media/dtmf/telephone-event.ts'

interface Sent {
  at: number
  timestamp: number
  marker: boolean
  payload: Uint8Array
}

/** What our sender sends for the digits, a packet every 20 ms. */
function sent(digits: string, toneMs = 120, gapMs = 80): Sent[] {
  const sender = new EventSender()
  sender.queue(digits, toneMs, gapMs)
  const packets: Sent[] = []
  for (let at = 0, timestamp = 0xffff_ff00; sender.active; at += 20, timestamp = (timestamp + 160) >>> 0) {
    const packet = sender.step(timestamp, 160)
    if (packet !== null) packets.push({ at, timestamp: packet.timestamp, marker: packet.marker, payload: sender.payload.slice() })
  }
  return packets
}

/** What the receiver makes of packets in order of arrival, with a heartbeat between. */
function received(packets: readonly Sent[], tailMs = 1000): Press[] {
  const receiver = new EventReceiver()
  const presses: Press[] = []
  let now = 0
  const beatUntil = (end: number): void => {
    for (; now < end; now += 20) {
      const late = receiver.expire(now)
      if (late !== null) presses.push(late)
    }
  }
  for (const packet of packets) {
    beatUntil(packet.at)
    presses.push(...receiver.packet(packet.at, packet.timestamp, packet.marker, packet.payload))
  }
  beatUntil(now + tailMs)
  assert.equal(receiver.pending, false)
  return presses
}

const digitsOf = (presses: readonly Press[]): string => presses.map((press) => press.digit).join('')

function event(digit: string, duration: number, end = false): Uint8Array {
  const payload = new Uint8Array(4)
  writeTelephoneEvent({ event: eventOf(digit) ?? 0, end, volume: 10, duration }, payload)
  return payload
}

test('each press is told once, with how long the key was held', () => {
  assert.deepEqual(received(sent('1', 120)), [{ digit: '1', ms: 120 }])
  assert.equal(digitsOf(received(sent('0123456789*#ABCD'))), '0123456789*#ABCD')
})

test('the same key twice is two presses', () => {
  assert.equal(digitsOf(received(sent('1155'))), '1155')
})

test('a press whose three end packets are lost is told after a moment', () => {
  const packets = sent('7').filter(({ payload }) => !parseTelephoneEvent(payload)?.end)
  assert.deepEqual(received(packets), [{ digit: '7', ms: 100 }])
})

test('a press whose end is lost is told when the next begins', () => {
  const packets = sent('78').filter(({ payload }) => !(parseTelephoneEvent(payload)?.event === 7 && parseTelephoneEvent(payload)?.end))
  assert.equal(digitsOf(received(packets)), '78')
})

test('lost beginnings do not matter', () => {
  const packets = sent('42').filter(({ payload }) => parseTelephoneEvent(payload)?.end)
  assert.deepEqual(received(packets), [
    { digit: '4', ms: 120 },
    { digit: '2', ms: 120 },
  ])
})

test('packets that come late, after the end or after the next event, change nothing', () => {
  const packets = sent('42')
  const [first] = packets
  assert.ok(first !== undefined)
  const reordered = [...packets.slice(1), { ...first, at: (packets.at(-1)?.at ?? 0) + 10 }]
  assert.equal(digitsOf(received(reordered)), '42')
})

test('a key held longer than a segment is one press, told once while it is held', () => {
  const receiver = new EventReceiver()
  const presses: Press[] = []
  const segments = [0, 0xffff, 2 * 0xffff]
  for (const [segment, timestamp] of segments.entries()) {
    for (let duration = 400; duration <= 0xffff; duration += 400) {
      presses.push(...receiver.packet((timestamp + duration) / 8, timestamp, segment === 0 && duration === 400, event('5', duration)))
    }
    presses.push(...receiver.packet((timestamp + 0xffff) / 8, timestamp, false, event('5', 0xffff)))
  }
  presses.push(...receiver.packet(30_000, 2 * 0xffff, false, event('5', 0xffff, true)))
  assert.deepEqual(presses, [{ digit: '5', ms: 3000 }])
})

test('a segment that rolled over at another length goes on as well', () => {
  const receiver = new EventReceiver()
  const presses = [
    ...receiver.packet(100, 1000, true, event('5', 800)),
    ...receiver.packet(200, 1800, false, event('5', 400)),
    ...receiver.packet(220, 1800, false, event('5', 800, true)),
  ]
  assert.deepEqual(presses, [{ digit: '5', ms: 200 }])
})

test('a new source may begin its timestamps anywhere', () => {
  const receiver = new EventReceiver()
  assert.equal(receiver.packet(0, 90_000, true, event('1', 800, true)).length, 1)
  receiver.reset()
  assert.equal(receiver.packet(20, 500, true, event('2', 800, true)).length, 1)
})

test('a sender that begins its timestamps anew after a while is heard', () => {
  const receiver = new EventReceiver()
  assert.equal(receiver.packet(0, 90_000, true, event('1', 800, true)).length, 1)
  assert.equal(receiver.packet(5000, 500, true, event('2', 800, true)).length, 1)
})

test('events that are no digits and payloads that are no events are nothing', () => {
  const receiver = new EventReceiver()
  assert.deepEqual(receiver.packet(0, 1, true, Uint8Array.of(16, 0x80, 0, 100)), [])
  assert.deepEqual(receiver.packet(0, 1, true, Uint8Array.of(5, 0x80, 0)), [])
  assert.equal(receiver.pending, false)
})

test('with up to 10 % loss, repeats and reordering, every digit of a long number arrives once and in order', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'0123456789*#'.split('')), minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.nat(99)),
      (digits, chances) => {
        const draw = chances[Symbol.iterator]()
        const chance = (): number => draw.next().value ?? 0
        const arrived = sent(digits).flatMap((packet) => {
          const roll = chance()
          const delayed = { ...packet, at: packet.at + (chance() < 10 ? 30 : 0) }
          return roll < 10 ? [] : roll < 15 ? [delayed, delayed] : [delayed]
        })
        arrived.sort((a, b) => a.at - b.at)
        // All packets of one event lost: nothing can be done. With nine packets an event that is one in 10^9.
        assert.equal(digitsOf(received(arrived)), digits)
      },
    ),
    { numRuns: 200, seed: 4733 },
  )
})

test('any payload at any time never throws and never tells anything but digits', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean(), fc.uint8Array({ maxLength: 8 }))), (packets) => {
      const receiver = new EventReceiver()
      for (const [now, timestamp, marker, payload] of packets) {
        for (const press of receiver.packet(now, timestamp, marker, payload)) assert.match(press.digit, /^[0-9*#A-D]$/)
        receiver.expire(now + LOST_END_MS)
      }
    }),
  )
})

test('the payload reads as it was written', () => {
  fc.assert(
    fc.property(
      fc.record({ event: fc.nat(255), end: fc.boolean(), volume: fc.nat(63), duration: fc.nat(65_535) }),
      fc.uint8Array({ maxLength: 4 }),
      (one, padding) => {
        const payload = new Uint8Array(4 + padding.length)
        payload.set(padding, 4)
        writeTelephoneEvent(one, payload)
        assert.deepEqual(parseTelephoneEvent(payload), { ...one })
      },
    ),
  )
  assert.equal(digitOf(16), null)
  assert.equal(eventOf('x'), null)
  assert.equal(eventOf('a'), 12)
})
