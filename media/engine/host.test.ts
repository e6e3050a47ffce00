import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { EngineHost, ServerLine } from '#media/engine/host.ts'
import { openHost } from '#media/engine/local.ts'
import { type Command, type Event, PROTOCOL_VERSION } from '#media/engine/protocol.ts'
import { PaperRecorder, Phone, streamTo } from '#media/engine/test-rig.ts'
import { MemoryNetwork } from '#media/socket/memory-socket.ts'

const PHONE = { address: '198.51.100.1', port: 4000 }
const LOCAL = { address: '192.0.2.1', port: 20_000 }
const ATTACH: Command = { kind: 'attach', version: PROTOCOL_VERSION, life: null, seen: 0 }

interface Server extends ServerLine {
  heard: Event[]
  ended: boolean
}

function server(): Server {
  const heard: Event[] = []
  const line: Server = { heard, ended: false, send: (event) => void heard.push(event), end: () => void (line.ended = true) }
  return line
}

async function open(): Promise<{ host: EngineHost; clock: VirtualClock; recorder: PaperRecorder; phone: Phone }> {
  const clock = new VirtualClock()
  const network = new MemoryNetwork()
  const recorder = new PaperRecorder()
  const range = { addresses: [LOCAL.address], first: LOCAL.port, last: LOCAL.port + 9 }
  const host = await openHost({ range, folder: '/', clock, random: countingRandom(), binder: network, recorder })
  return { host, clock, recorder, phone: new Phone(network, PHONE) }
}

/** Events of endpoints that a server heard, as kinds. */
function events({ heard }: Server): string[] {
  return heard.flatMap((each) => (each.kind === 'event' ? [each.event.kind] : []))
}

test('commands that come again change nothing', async () => {
  const { host, clock, recorder, phone } = await open()
  const line = server()
  const twice = (command: Command): void => [1, 2].forEach(() => host.take(line, command))
  host.take(line, ATTACH)
  twice({ kind: 'open', id: 'a', local: LOCAL })
  twice({ kind: 'aim', id: 'a', stream: streamTo(PHONE) })
  twice({ kind: 'record', id: 'a', file: 'talk.ogg', format: 'opus' })
  twice({ kind: 'play', id: 'a', play: 5, items: [{ kind: 'tone', tone: 'beep', ms: 40 }], loop: false, fromMs: 0 })
  await clock.advanceAsync(100)
  twice({ kind: 'play', id: 'a', play: 5, items: [{ kind: 'tone', tone: 'beep', ms: 40 }], loop: false, fromMs: 0 })
  await clock.advanceAsync(100)
  assert.equal(phone.take().length, 2)
  twice({ kind: 'record-stop', id: 'a', file: 'talk.ogg' })
  twice({ kind: 'close', id: 'a' })
  await clock.advanceAsync(0)
  assert.equal(recorder.opened.length, 1)
  assert.deepEqual(events(line), ['played', 'closed', 'recorded'])
})

test('commands for an endpoint that is gone change nothing', async () => {
  const { host } = await open()
  const line = server()
  host.take(line, ATTACH)
  for (const kind of ['part', 'close'] as const) host.take(line, { kind, id: 'x' })
  host.take(line, { kind: 'aim', id: 'x', stream: streamTo(PHONE) })
  host.take(line, { kind: 'join', id: 'x', other: 'y' })
  host.take(line, { kind: 'stop', id: 'x', play: 1 })
  host.take(line, { kind: 'digits', id: 'x', digits: '1' })
  assert.deepEqual(host.core.living, [])
  assert.deepEqual(events(line), [])
})

test('who has not attached has no say; who was cut off by a newer server neither', async () => {
  const { host } = await open()
  const [older, newer] = [server(), server()]
  host.take(older, { kind: 'open', id: 'a', local: LOCAL })
  assert.equal(host.core.living.length, 0)
  host.take(older, ATTACH)
  host.take(older, { kind: 'open', id: 'a', local: LOCAL })
  host.take(newer, ATTACH)
  assert.equal(older.heard.at(-1)?.kind, 'fenced')
  assert.equal(older.ended, true)
  host.take(older, { kind: 'close', id: 'a' })
  host.lost(older)
  assert.equal(host.core.living.length, 1)
  host.take(newer, { kind: 'sweep', keep: [] })
  assert.deepEqual(events(newer), ['closed'])
})

test('a server of another version is turned away and the one that is attached stays', async () => {
  const { host } = await open()
  const [good, other] = [server(), server()]
  host.take(good, ATTACH)
  host.take(other, { ...ATTACH, version: PROTOCOL_VERSION + 1 })
  assert.deepEqual([other.ended, other.heard], [true, []])
  host.take(good, { kind: 'open', id: 'a', local: LOCAL })
  assert.equal(host.core.living.length, 1)
})

test('events wait for a server and are told until it has processed them, in order, by number', async () => {
  const { host, clock, phone } = await open()
  const first = server()
  host.take(first, ATTACH)
  host.take(first, { kind: 'open', id: 'a', local: LOCAL })
  host.take(first, { kind: 'aim', id: 'a', stream: streamTo(PHONE) })
  phone.say({ local: LOCAL })
  host.take(first, { kind: 'seen', number: 1 })
  host.lost(first)
  host.take(first, { kind: 'close', id: 'a' })
  phone.say({ local: LOCAL }, { payloadType: 101, payload: Buffer.from([1, 0x8a, 3, 0x20]) })
  phone.say({ local: LOCAL }, { payloadType: 101, payload: Buffer.from([2, 0x8a, 3, 0x20]) })
  await clock.advanceAsync(0)
  const second = server()
  host.take(second, ATTACH)
  assert.deepEqual(
    second.heard.map((each) => (each.kind === 'event' ? `${each.number} ${each.event.kind}` : each.kind)),
    ['welcome', '2 digit', '3 digit', 'ready'],
  )
  const third = server()
  host.take(third, { ...ATTACH, life: host.life, seen: 2 })
  assert.deepEqual(events(third), ['digit'])
})

test('a port that cannot be had fails its endpoint with who has it', async () => {
  const { host, clock } = await open()
  const line = server()
  host.take(line, ATTACH)
  host.take(line, { kind: 'open', id: 'a', local: LOCAL })
  host.take(line, { kind: 'open', id: 'b', local: LOCAL })
  await clock.advanceAsync(2000)
  const failed = line.heard.find((each) => each.kind === 'event')
  assert.equal(failed?.id, 'b')
  assert.match(failed?.event.kind === 'failed' ? failed.event.cause : '', /RTP port 20000 could not be bound \(EADDRINUSE\)/)
})
