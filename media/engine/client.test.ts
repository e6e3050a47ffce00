import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { MediaClient } from '#media/engine/client.ts'
import type { EngineHost } from '#media/engine/host.ts'
import type { Dial } from '#media/engine/link.ts'
import { dialHost, openHost } from '#media/engine/local.ts'
import { PaperRecorder, Phone, streamTo, told } from '#media/engine/test-rig.ts'
import { MemoryNetwork } from '#media/socket/memory-socket.ts'

interface World {
  clock: VirtualClock
  network: MemoryNetwork
  recorder: PaperRecorder
  hosts: EngineHost[]
  /** Cuts the lines to an engine; `life` false: it dies with all it had. */
  cut: (index: number, life: boolean) => Promise<void>
  client: () => MediaClient
}

/** Engines on virtual time that can be cut off and killed. */
async function world(engines: number): Promise<World> {
  const clock = new VirtualClock(1_767_600_000_000)
  const network = new MemoryNetwork()
  const recorder = new PaperRecorder()
  const random = countingRandom()
  const start = (index: number): Promise<EngineHost> =>
    openHost({
      range: { addresses: [`192.0.2.${index + 1}`], first: 20_000, last: 20_019 },
      folder: '/',
      clock,
      random,
      binder: network,
      recorder,
    })
  const hosts = await Promise.all(Array.from({ length: engines }, (_, index) => start(index)))
  const cuts = hosts.map(() => new Set<() => void>())
  const dial =
    (index: number): Dial =>
    (events) => {
      const host = hosts[index]
      assert.ok(host !== undefined)
      let alive = true
      const line = dialHost(host)({
        up: () => alive && events.up(),
        message: (event) => alive && events.message(event),
        gone: (why) => alive && events.gone(why),
      })
      cuts[index]?.add(() => {
        if (!alive) return
        alive = false
        line.end()
        events.gone('cut')
      })
      return { send: (command) => void (alive && line.send(command)), end: () => line.end() }
    }
  return {
    clock,
    network,
    recorder,
    hosts,
    cut: async (index, life) => {
      for (const cut of cuts[index] ?? []) cut()
      cuts[index]?.clear()
      if (life) return
      await hosts[index]?.core.close()
      hosts[index] = await start(index)
    },
    client: () =>
      new MediaClient(
        { clock, random, log: silentLog },
        Array.from({ length: engines }, (_, index) => dial(index)),
      ),
  }
}

const A = { address: '198.51.100.1', port: 4000 }
const B = { address: '198.51.100.2', port: 4000 }

test('endpoints spread over the engines; one that shall be near another is', async () => {
  const { client, clock } = await world(2)
  const media = client()
  await clock.advanceAsync(0)
  const ends = [0, 1, 2, 3].map(() => media.open({}))
  assert.equal(ends.filter((each) => each?.keep().engine === 0).length, 2)
  const [first] = ends
  assert.equal(media.open({}, first ?? undefined)?.keep().engine, first?.keep().engine)
  assert.deepEqual(media.load, { endpoints: 5, capacity: 20 })
})

test('when no port is left there is no endpoint, until one has rested', async () => {
  const { client, clock } = await world(1)
  const media = client()
  await clock.advanceAsync(0)
  const ends = Array.from({ length: 10 }, () => media.open({}))
  assert.ok(ends.every((each) => each !== null))
  assert.equal(media.open({}), null)
  ends[3]?.close()
  await clock.advanceAsync(2000)
  assert.equal(media.open({}), null)
  await clock.advanceAsync(1500)
  assert.deepEqual(media.open({})?.local, ends[3]?.local)
})

test('parties in different engines hear each other through a tunnel, digits too, and parting takes it down', async () => {
  const { client, clock, network } = await world(2)
  const media = client()
  await clock.advanceAsync(0)
  const [phoneA, phoneB] = [new Phone(network, A), new Phone(network, B)]
  const [a, b] = [media.open({}), media.open({})]
  assert.ok(a !== null && b !== null && a.keep().engine !== b.keep().engine)
  a.aim(streamTo(A))
  b.aim(streamTo(B, { dtmfPayloadType: 97 }))
  a.join(b)
  await clock.advanceAsync(20)
  phoneA.say(a, { payload: Buffer.alloc(160, 7) })
  phoneA.say(a, { payloadType: 101, timestamp: 800, payload: Buffer.from([5, 0x0a, 0, 160]) })
  phoneB.say(b, { payload: Buffer.alloc(160, 8) })
  assert.deepEqual(
    phoneB.take().map(({ payloadType, payload }) => [payloadType, payload[0]]),
    [
      [8, 7],
      [97, 5],
    ],
  )
  assert.deepEqual(
    phoneA.take().map(({ payload }) => payload[0]),
    [8],
  )
  assert.equal(media.load.endpoints, 4)
  b.part()
  await clock.advanceAsync(20)
  phoneA.say(a)
  assert.deepEqual(phoneB.take(), [])
  assert.equal(media.load.endpoints, 2)
})

test('an engine that comes back empty is told all: the play from where it would be, the recording with its age', async () => {
  const { client, clock, network, cut, recorder } = await world(1)
  const media = client()
  await clock.advanceAsync(0)
  const phone = new Phone(network, A)
  const events = told()
  const a = media.open(events)
  assert.ok(a !== null)
  a.aim(streamTo(A))
  a.record('talk.ogg', { maxMs: 60_000 })
  a.play([{ kind: 'tone', tone: 'beep', ms: 1000 }])
  await clock.advanceAsync(400)
  await cut(0, false)
  phone.take()
  await clock.advanceAsync(100)
  assert.ok(events.lines.includes('revived'))
  const resumed = recorder.opened.at(-1)?.spec
  assert.deepEqual([resumed?.file, resumed?.resume, resumed?.startedAt, resumed?.maxMs], ['/talk.ogg', true, 0, 60_000])
  await clock.advanceAsync(1000)
  const packets = phone.take().length
  assert.ok(packets >= 27 && packets <= 29, `${packets} packets of the last 600 ms less the outage`)
  assert.ok(events.lines.some((line) => line.startsWith('played ended')))
})

test('a line that breaks and comes back loses no command and no event, and changes nothing that runs', async () => {
  const { client, clock, network, cut, hosts, recorder } = await world(1)
  const media = client()
  await clock.advanceAsync(0)
  const [phoneA, phoneB] = [new Phone(network, A), new Phone(network, B)]
  const events = told()
  const [a, b] = [media.open(events), media.open({})]
  assert.ok(a !== null && b !== null)
  a.aim(streamTo(A))
  a.record('talk.ogg')
  a.play([{ kind: 'tone', tone: 'beep', ms: 200 }])
  await clock.advanceAsync(100)
  await cut(0, true)
  b.aim(streamTo(B))
  a.join(b)
  b.sendDtmf('7')
  const life = hosts[0]?.life
  await clock.advanceAsync(2000)
  assert.equal(hosts[0]?.life, life)
  assert.deepEqual(events.lines, ['played ended 200'])
  assert.equal(recorder.opened.length, 1)
  phoneA.say(a)
  assert.deepEqual(
    phoneB.take().map(({ payload }) => payload.length > 4 || payload[0] === 7),
    Array.from({ length: 9 }, () => true),
  )
})

test('what ends while the line is down is told once, also when the server processed it but could not say so', async () => {
  const { client, clock, network, cut } = await world(1)
  const media = client()
  await clock.advanceAsync(0)
  const phone = new Phone(network, A)
  const events = told()
  const a = media.open(events)
  assert.ok(a !== null)
  a.aim(streamTo(A))
  a.play([{ kind: 'tone', tone: 'beep', ms: 40 }])
  await clock.advanceAsync(40)
  assert.deepEqual(events.lines, ['played ended 40'])
  await cut(0, true)
  phone.say(a, { payloadType: 101, timestamp: 800, payload: Buffer.from([5, 0x8a, 3, 0x20]) })
  await clock.advanceAsync(500)
  assert.deepEqual(events.lines, ['played ended 40', 'audio 198.51.100.1 4000', 'digit 5 100'])
})

test('closed while its engine is dead, an endpoint still gets its recording completed', async () => {
  const { client, clock, cut, recorder } = await world(1)
  const media = client()
  await clock.advanceAsync(0)
  const events = told()
  const a = media.open(events)
  a?.aim(streamTo(A))
  a?.record('talk.ogg')
  await clock.advanceAsync(1000)
  await cut(0, false)
  a?.close()
  await clock.advanceAsync(1000)
  const last = recorder.opened.at(-1)
  assert.deepEqual([last?.spec.file, last?.spec.resume, last?.stopped], ['/talk.ogg', true, true])
  assert.deepEqual(
    events.lines.filter((line) => line.startsWith('recorded')),
    [`recorded talk.ogg ${last === undefined ? '' : 1025}`],
  )
  assert.equal(media.load.endpoints, 0)
})

test('a new server adopts what it knows with its stream, play and recording, and the rest is swept', async () => {
  const { client, clock, network, hosts } = await world(1)
  const first = client()
  await clock.advanceAsync(0)
  const phone = new Phone(network, A)
  const [a, b] = [first.open({}), first.open({})]
  assert.ok(a !== null && b !== null)
  a.aim(streamTo(A))
  a.join(b)
  a.record('talk.ogg')
  const play = a.play([{ kind: 'tone', tone: 'ringback' }])
  await clock.advanceAsync(100)
  first.close()

  const second = client()
  await clock.advanceAsync(0)
  const events = told()
  const adopted = second.adopt(a.keep(), events)
  second.sweep()
  await clock.advanceAsync(20)
  assert.deepEqual(
    hosts[0]?.core.living.map(({ id }) => id),
    [a.id],
  )
  adopted.stop(play)
  adopted.record('talk.ogg').stop()
  await clock.advanceAsync(20)
  assert.deepEqual(events.lines, ['played stopped 120', 'recorded talk.ogg 120'])
  phone.say(adopted)
  await clock.advanceAsync(0)
  assert.equal(events.lines.at(-1), 'audio 198.51.100.1 4000')
})

test('when engine and server died together, an adopted endpoint is set up from what the call had kept', async () => {
  const { client, clock, network, cut } = await world(1)
  const first = client()
  await clock.advanceAsync(0)
  const phone = new Phone(network, A)
  const a = first.open({})
  assert.ok(a !== null)
  a.aim(streamTo(A))
  const kept = JSON.parse(JSON.stringify(a.keep()))
  first.close()
  await cut(0, false)
  const second = client()
  const events = told()
  const adopted = second.adopt(kept, events)
  await clock.advanceAsync(100)
  second.sweep()
  phone.say(adopted)
  await clock.advanceAsync(0)
  assert.deepEqual(events.lines, ['revived', 'audio 198.51.100.1 4000'])
})

test('a room goes on without the server, is adopted by a new one, and is set up again when its engine dies', async () => {
  const { client, clock, network, hosts, cut } = await world(1)
  const first = client()
  await clock.advanceAsync(0)
  const [phoneA, phoneB] = [new Phone(network, A), new Phone(network, B)]
  const [a, b] = [first.open({}), first.open({})]
  assert.ok(a !== null && b !== null)
  a.aim(streamTo(A))
  b.aim(streamTo(B))
  a.mix('sales', { speaks: 2 })
  b.mix('sales')
  await clock.advanceAsync(100)
  first.close()
  phoneA.take()
  await clock.advanceAsync(100)
  assert.equal(phoneA.take().length, 5, 'while there is no server')

  const second = client()
  await clock.advanceAsync(0)
  const adopted = [a, b].map((each) => second.adopt(each.keep(), {}))
  second.sweep()
  await clock.advanceAsync(100)
  await cut(0, false)
  await clock.advanceAsync(100)
  assert.deepEqual(
    hosts[0]?.core.living.map(({ mixed }) => mixed),
    [
      { room: 'sales', terms: { speaks: 2 } },
      { room: 'sales', terms: {} },
    ],
  )
  phoneB.take()
  await clock.advanceAsync(100)
  assert.equal(phoneB.take().length, 5, 'in the new engine')
  adopted[1]?.part()
  await clock.advanceAsync(100)
  assert.ok(phoneB.take().length <= 1)
})

test('a room has members in several engines, who name each other in their terms, and takes its tunnels down as they leave', async () => {
  const { client, clock, network } = await world(2)
  const media = client()
  await clock.advanceAsync(0)
  const at = ['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((address) => ({ address, port: 4000 }))
  const phones = at.map((address) => new Phone(network, address))
  const ends = at.map((address) => {
    const endpoint = media.open({})
    assert.ok(endpoint !== null)
    endpoint.aim(streamTo(address))
    return endpoint
  })
  const [agent, customer, supervisor] = ends
  assert.ok(agent !== undefined && customer !== undefined && supervisor !== undefined)
  assert.notEqual(agent.keep().engine, customer.keep().engine)
  const voice = encodeAll(
    'PCMA',
    Int16Array.from({ length: 160 }, (_, i) => 8_000 * Math.sin(i / 2)),
  )
  /** Who hears somebody while `speaker` alone talks. */
  const hearers = async (speaker: number): Promise<number[]> => {
    for (let n = 0; n < 30; n++) {
      phones[speaker]?.say(ends[speaker] ?? agent, { payload: Buffer.from(voice) })
      await clock.advanceAsync(20)
    }
    const heard = phones.map((phone) =>
      decodeAll(
        'PCMA',
        Buffer.concat(
          phone
            .take()
            .slice(-5)
            .map(({ payload }) => payload),
        ),
      ),
    )
    // Until the last word has gone by.
    await clock.advanceAsync(2_000)
    for (const phone of phones) phone.take()
    return heard.flatMap((pcm, i) => (pcm.some((sample) => Math.abs(sample) > 2_000) ? [i] : []))
  }
  for (const end of ends) end.mix('sales')
  await clock.advanceAsync(20)
  assert.deepEqual(
    [await hearers(0), await hearers(1), await hearers(2)],
    [
      [1, 2],
      [0, 2],
      [0, 1],
    ],
  )
  supervisor.mix('sales', { heardBy: [customer.id] })
  assert.deepEqual(await hearers(2), [1], 'by one who came through a tunnel')
  supervisor.mix('sales', { heardBy: [agent.id] })
  assert.deepEqual(await hearers(2), [0])
  customer.mix('sales', { speaks: 0 })
  assert.deepEqual(await hearers(1), [])
  customer.part()
  await clock.advanceAsync(20)
  assert.equal(media.load.endpoints, 3)
  assert.deepEqual(await hearers(0), [2])
})
