import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventSender } from '#media/dtmf/event-sender.ts'
import { parseTelephoneEvent } from '#media/dtmf/telephone-event.ts'

function run(sender: EventSender, start = 1000, ticks = 160): string[] {
  const lines: string[] = []
  for (let i = 0; sender.active && i < 10_000; i++) {
    const packet = sender.step(start + i * ticks, ticks)
    const event = packet === null ? null : parseTelephoneEvent(sender.payload)
    lines.push(
      packet === null ? '-' : `${packet.marker ? 'M' : ''}${packet.timestamp}:${event?.event}+${event?.duration}${event?.end ? 'E' : ''}`,
    )
  }
  return lines
}

test('an event begins with the marker, grows, ends three times on one timestamp, and a pause follows', () => {
  const sender = new EventSender()
  assert.equal(sender.queue('5', 100, 80), 1)
  assert.deepEqual(run(sender), [
    'M1000:5+160',
    '1000:5+320',
    '1000:5+480',
    '1000:5+640',
    '1000:5+800E',
    '1000:5+800E',
    '1000:5+800E',
    '-',
    '-',
  ])
})

test('the next digit starts with a timestamp of its own after the pause', () => {
  const sender = new EventSender()
  sender.queue('1#', 40, 60)
  const begins = run(sender).filter((line) => line.startsWith('M'))
  assert.deepEqual(begins, ['M1000:1+160', 'M1800:11+160'])
})

test('lengths are kept within what detectors hear, characters that are no digits are skipped', () => {
  const sender = new EventSender()
  assert.equal(sender.queue('1 x2', 1, 0), 2)
  assert.ok(run(sender)[1]?.endsWith('+320E'))
  assert.equal(sender.queue('3', Number.NaN, Number.POSITIVE_INFINITY), 1)
  assert.ok(run(sender).some((line) => line.endsWith('+320E')))
})

test('no more than 128 digits wait, and the rest is refused', () => {
  assert.equal(new EventSender().queue('1'.repeat(500)), 128)
})

test('clearing ends the digit under way properly and drops the others', () => {
  const sender = new EventSender()
  sender.queue('123', 100, 60)
  sender.step(0, 160)
  sender.clear()
  const lines = run(sender, 160)
  assert.equal(lines.filter((line) => line.endsWith('E')).length, 3)
  assert.ok(lines.every((line) => line === '-' || line.includes(':1+')))
})

test('60 ms packets carry the same event in fewer steps', () => {
  const sender = new EventSender()
  sender.queue('9', 120, 60)
  assert.deepEqual(run(sender, 0, 480).slice(0, 4), ['M0:9+480', '0:9+960E', '0:9+960E', '0:9+960E'])
})
