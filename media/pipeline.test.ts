import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '#media/engine.ts'
import { type Heard, openRig, type Phone, type Rig, streamTo, type Told } from '#media/engine/test-rig.ts'

interface Party {
  phone: Phone
  endpoint: Endpoint
  told: Told
}

/** A phone and its endpoint, aimed at each other. */
function party(rig: Rig, address: string, over: Parameters<typeof streamTo>[1] = {}): Party {
  const phone = rig.phone(address)
  const { endpoint, told } = rig.open()
  endpoint.aim(streamTo(phone.address, over))
  return { phone, endpoint, told }
}

function sequences(heard: readonly Heard[]): number[] {
  const first = heard[0]?.sequence ?? 0
  return heard.map(({ sequence }) => (sequence - first) & 0xffff)
}

test('joined parties hear each other at once, payload untouched, as one stream from us', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2', { payloadType: 96 })]
  a.endpoint.join(b.endpoint)
  for (let n = 0; n < 3; n++) {
    rig.clock.advance(20)
    a.phone.say(a.endpoint, { payload: Buffer.alloc(160, 40 + n) })
  }
  b.phone.say(b.endpoint, { payloadType: 96, payload: Buffer.alloc(160, 99) })
  const atB = b.phone.take()
  assert.deepEqual(
    atB.map(({ payload }) => payload[7]),
    [40, 41, 42],
  )
  assert.deepEqual(sequences(atB), [0, 1, 2])
  assert.deepEqual(
    atB.map(({ marker }) => marker),
    [true, false, false],
  )
  assert.ok(atB.every(({ payloadType, ssrc }) => payloadType === 96 && ssrc === atB[0]?.ssrc && ssrc !== 0x1234))
  assert.deepEqual(
    a.phone.take().map(({ payload, payloadType }) => [payload[0], payloadType]),
    [[99, 8]],
  )
})

test('A-law and mu-law are turned into each other by table', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2', { codec: 'PCMU', payloadType: 0 })]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint, { payload: Buffer.alloc(160, 0xd5) })
  assert.deepEqual([...new Set(b.phone.take()[0]?.payload)], [0xfe])
  b.phone.say(b.endpoint, { payloadType: 0, payload: Buffer.alloc(160, 0xff) })
  assert.deepEqual([...new Set(a.phone.take()[0]?.payload)], [0xd5])
})

test('the other law by its static type is understood unasked; other payload types are dropped and counted', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint, { payloadType: 0, payload: Buffer.alloc(160, 0xff) })
  a.phone.say(a.endpoint, { payloadType: 111 })
  assert.deepEqual(
    b.phone.take().map(({ payload, payloadType }) => [payloadType, payload[0]]),
    [[8, 0xd5]],
  )
  a.endpoint.close()
  await rig.clock.advanceAsync(0)
  assert.equal(a.told.stats[0]?.unusable, 1)
})

test('extension and padding do not reach the other side', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  const packet = Buffer.concat([
    Buffer.from([0xb0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0xbe, 0xde, 0, 1, 1, 2, 3, 4]),
    Buffer.alloc(160, 7),
    Buffer.from([0, 2]),
  ])
  a.phone.socket.send(packet, a.endpoint.local)
  const [heard] = b.phone.socket.received
  assert.equal(heard?.length, 172)
  assert.equal(heard?.[0], 0x80)
  assert.equal(heard?.[12], 7)
})

test('parted parties hear nothing; joined with a third, the stream goes on marked', async () => {
  await using rig = await openRig()
  const [a, b, c] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2'), party(rig, '198.51.100.3')]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint)
  rig.clock.advance(100)
  c.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint)
  c.phone.say(c.endpoint, { sequence: 60_000, ssrc: 9 })
  const heard = b.phone.take()
  assert.deepEqual(sequences(heard), [0, 1])
  assert.deepEqual((heard[1]?.timestamp ?? 0) - (heard[0]?.timestamp ?? 0), 800)
  assert.equal(heard[1]?.marker, true)
  assert.equal(heard[1]?.ssrc, heard[0]?.ssrc)
  b.endpoint.part()
  c.phone.say(c.endpoint)
  assert.deepEqual(b.phone.take(), [])
})

test('direction: on hold we neither hear nor are heard, as agreed', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  const both = (): number[] => {
    a.phone.say(a.endpoint)
    b.phone.say(b.endpoint)
    return [a.phone.take().length, b.phone.take().length]
  }
  assert.deepEqual(both(), [1, 1])
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'sendonly' }))
  assert.deepEqual(both(), [1, 0])
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'recvonly' }))
  assert.deepEqual(both(), [0, 1])
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'inactive' }))
  assert.deepEqual(both(), [0, 0])
  a.endpoint.aim(streamTo(a.phone.address))
  assert.deepEqual(both(), [1, 1])
})

test('a play goes over the peer, packet by packet to its end, and the peer is heard again after it', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  b.phone.say(b.endpoint)
  a.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 100 }])
  for (let n = 0; n < 5; n++) {
    rig.clock.advance(20)
    b.phone.say(b.endpoint)
  }
  b.phone.say(b.endpoint)
  await rig.clock.advanceAsync(0)
  const heard = a.phone.take()
  assert.equal(heard.length, 1 + 5 + 2, 'before it, the play, and what came when it had ended')
  assert.deepEqual(sequences(heard), [0, 1, 2, 3, 4, 5, 6, 7])
  assert.deepEqual(
    heard.map(({ marker }) => marker),
    [true, true, false, false, false, false, true, false],
  )
  assert.deepEqual(a.told.lines, ['played ended 100'])
})

test('a later play replaces the earlier, a stopped one says so, and a file that is missing fails with its cause', async () => {
  const sounds = { read: async () => ({ kind: 'fault' as const, cause: 'no such file' }), stampOf: async () => null }
  await using rig = await openRig({ sounds })
  const a = party(rig, '198.51.100.1')
  a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  rig.clock.advance(60)
  const second = a.endpoint.play([{ kind: 'silence', ms: 1000 }], { loop: true })
  rig.clock.advance(2000)
  a.endpoint.stop(second)
  a.endpoint.stop(second)
  a.endpoint.play([{ kind: 'file', file: 'gone.wav' }])
  await rig.clock.advanceAsync(20)
  assert.deepEqual(a.told.lines, ['played replaced 60', 'played stopped 2000', 'played failed 0 no such file'])
})

test('packets that we generate have the agreed packet time', async () => {
  for (const [ptimeMs, packets] of [
    [10, 12],
    [20, 6],
    [30, 4],
    [60, 2],
  ] as const) {
    await using rig = await openRig()
    const a = party(rig, '198.51.100.1', { ptimeMs })
    a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
    rig.clock.advance(120)
    const heard = a.phone.take()
    assert.equal(heard.length, packets)
    assert.ok(heard.every(({ payload }) => payload.length === ptimeMs * 8))
  }
})

test('a prompt to a phone behind NAT waits for its first packet', async () => {
  await using rig = await openRig()
  const phone = rig.phone('203.0.113.7')
  const { endpoint, told } = rig.open()
  endpoint.aim(streamTo({ address: '10.0.0.9', port: 4000 }, { accept: { mode: 'latch', address: '203.0.113.7' } }))
  endpoint.play([{ kind: 'tone', tone: 'beep', ms: 100 }])
  rig.clock.advance(1000)
  phone.say(endpoint)
  rig.clock.advance(200)
  await rig.clock.advanceAsync(0)
  assert.equal(phone.take().length, 5)
  assert.deepEqual(told.lines, ['audio 203.0.113.7 4000', 'played ended 100'])
})

const event = (digit: number, end: boolean, duration: number): Buffer =>
  Buffer.from([digit, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff])

/** Presses a key for 100 ms: five packets, three ends. `lost`: which of the eight do not arrive. */
function press(from: Party, digit: number, lost: readonly number[] = []): void {
  for (let n = 0; n < 8; n++) {
    const fields = {
      payloadType: 101,
      timestamp: 5000 * (digit + 1),
      marker: n === 0,
      payload: event(digit, n >= 5, Math.min(800, 160 * (n + 1))),
    }
    if (!lost.includes(n)) from.phone.say(from.endpoint, fields)
  }
}

test('a digit is told once, and passed on as events of the other side’s payload type', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2', { dtmfPayloadType: 97 })]
  a.endpoint.join(b.endpoint)
  press(a, 5, [6])
  await rig.clock.advanceAsync(0)
  assert.deepEqual(a.told.lines, ['audio 198.51.100.1 4000', 'digit 5 100'])
  const heard = b.phone.take()
  assert.equal(heard.length, 7)
  assert.ok(
    heard.every(({ payloadType, timestamp, payload }) => payloadType === 97 && timestamp === heard[0]?.timestamp && payload[0] === 5),
  )
})

test('a digit whose end is lost is told all the same', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  press(a, 9, [5, 6, 7])
  await rig.clock.advanceAsync(400)
  assert.deepEqual(a.told.lines.slice(1), ['digit 9 100'])
})

test('a peer without telephone-events gets the digit as a tone, and no gap in its numbers', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2', { dtmfPayloadType: null })]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint)
  press(a, 1)
  await rig.clock.advanceAsync(400)
  a.phone.say(a.endpoint)
  const heard = b.phone.take()
  assert.ok(heard.length > 6)
  assert.deepEqual(
    sequences(heard),
    heard.map((_, n) => n),
  )
  assert.ok(heard.every(({ payloadType }) => payloadType === 8))
  const loud = heard.filter(({ payload }) => new Set(payload).size > 10)
  assert.ok(loud.length >= 5)
})

test('digits that we send are events of growing length with three ends, and a pause between them', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  a.endpoint.sendDtmf('1x#', 100, 80)
  rig.clock.advance(1000)
  const heard = a.phone.take()
  assert.deepEqual([...new Set(heard.map(({ payload }) => payload[0]))], [1, 11])
  const first = heard.filter(({ payload }) => payload[0] === 1)
  assert.ok(first.every(({ timestamp, payloadType }) => timestamp === first[0]?.timestamp && payloadType === 101))
  assert.equal(first.filter(({ payload }) => ((payload[1] ?? 0) & 0x80) !== 0).length, 3)
  assert.deepEqual(
    first.map(({ marker }) => marker),
    first.map((_, n) => n === 0),
  )
  assert.equal(first.at(-1)?.payload.readUInt16BE(2), 800)
  const second = heard.filter(({ payload }) => payload[0] === 11)
  assert.ok((second[0]?.timestamp ?? 0) - (first[0]?.timestamp ?? 0) >= 180 * 8)
  assert.deepEqual(
    sequences(heard),
    heard.map((_, n) => n),
  )
})

test('silence is told once until audio comes again, and only while we listen', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1', { silenceMs: 1000 })
  await rig.clock.advanceAsync(900)
  a.phone.say(a.endpoint)
  await rig.clock.advanceAsync(3000)
  a.phone.say(a.endpoint)
  await rig.clock.advanceAsync(1100)
  a.endpoint.aim(streamTo(a.phone.address, { silenceMs: 1000, direction: 'sendonly' }))
  await rig.clock.advanceAsync(3000)
  a.endpoint.aim(streamTo(a.phone.address, { silenceMs: 1000 }))
  await rig.clock.advanceAsync(900)
  assert.deepEqual(a.told.lines, ['audio 198.51.100.1 4000', 'silent 1000', 'silent 1000'])
})

for (const hold of ['recvonly', 'inactive', 'sendonly'] as const)
  test(`silence during a hold is none, whoever holds, and is watched for anew behind it: ${hold}`, async () => {
    await using rig = await openRig()
    const a = party(rig, '198.51.100.1', { silenceMs: 1000 })
    a.phone.say(a.endpoint)
    await rig.clock.advanceAsync(900)
    a.endpoint.aim(streamTo(a.phone.address, { silenceMs: 1000, direction: hold }))
    await rig.clock.advanceAsync(5000)
    a.endpoint.aim(streamTo(a.phone.address, { silenceMs: 1000 }))
    await rig.clock.advanceAsync(900)
    assert.deepEqual(a.told.lines, ['audio 198.51.100.1 4000'])
    await rig.clock.advanceAsync(300)
    assert.deepEqual(a.told.lines.slice(1), ['silent 1000'])
  })

for (const muxed of [false, true]) {
  test(`who says nothing but reports is not silent; reports of others, and what is no report, do not count: ${muxed ? 'one port' : 'two ports'}`, async () => {
    await using rig = await openRig()
    const phone = rig.phone('198.51.100.1')
    const { endpoint, told } = rig.open()
    endpoint.aim(streamTo(phone.address, { silenceMs: 1000, ...(muxed && { rtcp: phone.address }) }))
    const to = { ...endpoint.local, port: endpoint.local.port + (muxed ? 0 : 1) }
    const report = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 5])
    const every = async (ms: number, send: () => void): Promise<void> => {
      for (let n = 0; n < 8; n++) {
        send()
        await rig.clock.advanceAsync(ms)
      }
    }
    phone.say(endpoint)
    await every(500, () => (muxed ? phone.socket : phone.rtcp).send(report, to))
    assert.deepEqual(told.lines, ['audio 198.51.100.1 4000'])
    const [stranger, neighbour] = [rig.phone('203.0.113.66'), rig.phone('198.51.100.1', 7000)]
    await every(100, () => {
      for (const { socket, rtcp } of [stranger, neighbour]) {
        socket.send(report, to)
        rtcp.send(report, to)
      }
      ;(muxed ? phone.socket : phone.rtcp).send(report.subarray(0, 6), to)
    })
    await rig.clock.advanceAsync(300)
    assert.deepEqual(told.lines.slice(1), ['silent 1000'])
  })
}

test('a stream with nothing to say sends silence now and then', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  rig.clock.advance(20_000)
  const heard = a.phone.take()
  assert.ok(heard.length >= 3 && heard.length <= 5)
  assert.deepEqual([...new Set(heard.flatMap(({ payload }) => [...payload]))], [0xd5])
})

test('nobody is woken for endpoints that nothing is due for', async () => {
  await using rig = await openRig()
  for (let n = 1; n <= 20; n += 2) {
    const [a, b] = [party(rig, `198.51.100.${n}`), party(rig, `198.51.100.${n + 1}`)]
    a.endpoint.join(b.endpoint)
  }
  const after = rig.clock.after.bind(rig.clock)
  let woken = 0
  rig.clock.after = (ms, task) =>
    after(ms, () => {
      woken++
      task()
    })
  rig.clock.advance(60_000)
  // Reports, figures and silence to keep the way open, each every five seconds or so; much of it together.
  assert.ok(woken > 10 && woken < 300, `woken ${woken} times`)
})

test('reports go out every five seconds or so, to the RTCP port, and a goodbye at the end', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  for (let n = 0; n < 500; n++) {
    rig.clock.advance(20)
    a.phone.say(a.endpoint)
  }
  assert.ok(a.phone.rtcp.received.length >= 1 && a.phone.rtcp.received.length <= 5)
  a.endpoint.close()
  const last = a.phone.rtcp.received.at(-1)
  assert.equal(last?.[last.length - 7], 203)
})

test('with rtcp-mux reports use the RTP ports', async () => {
  await using rig = await openRig()
  const phone = rig.phone('198.51.100.1')
  const { endpoint, told } = rig.open()
  endpoint.aim(streamTo(phone.address, { rtcp: phone.address, direction: 'recvonly' }))
  phone.say(endpoint)
  rig.clock.advance(10_000)
  const reports = phone.socket.received.splice(0)
  assert.ok(reports.length > 0 && reports.every((packet) => packet[1] === 201))
  const ssrc = reports[0]?.readUInt32BE(4) ?? 0
  const block = Buffer.alloc(32)
  block.set([0x81, 201, 0, 7])
  block.writeUInt32BE(ssrc, 8)
  block.writeIntBE(17, 13, 3)
  phone.socket.send(block, endpoint.local)
  endpoint.close()
  await rig.clock.advanceAsync(0)
  assert.equal(told.stats[0]?.remoteLost, 17)
})

test('a recording gets what its endpoint says and what it is sent, and nothing after its end', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2', { codec: 'PCMU', payloadType: 0 })]
  a.endpoint.join(b.endpoint)
  const recording = a.endpoint.record('talk.ogg')
  a.phone.say(a.endpoint, { payload: Buffer.alloc(160, 1) })
  b.phone.say(b.endpoint, { payloadType: 0, payload: Buffer.alloc(160, 0xff) })
  a.endpoint.play([{ kind: 'silence', ms: 20 }])
  rig.clock.advance(20)
  recording.stop()
  a.phone.say(a.endpoint)
  await rig.clock.advanceAsync(0)
  const [paper] = rig.recorder.opened
  assert.deepEqual(
    paper?.frames.map(({ speaker, codec, payload }) => [speaker, codec, payload[0]]),
    [
      [0, 'PCMA', 1],
      [1, 'PCMA', 0xd5],
      [1, 'PCMA', 0xd5],
    ],
  )
  assert.ok(a.told.lines.includes('recorded talk.ogg 20'))
})

test('closing an endpoint completes its recording, tells the figures, and nothing else after', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  a.endpoint.record('talk.ogg', { format: 'wav', maxMs: 5000 })
  a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  a.phone.say(a.endpoint)
  await rig.clock.advanceAsync(100)
  a.told.lines.length = 0
  a.endpoint.close()
  a.endpoint.close()
  a.phone.say(a.endpoint)
  await rig.clock.advanceAsync(100)
  assert.deepEqual(a.told.lines, ['recorded talk.ogg 100'])
  const stats = a.told.stats[0]
  assert.deepEqual([stats?.packetsReceived, stats?.packetsSent, stats?.lost, stats?.strangers], [1, 5, 0, 0])
  const spec = rig.recorder.opened[0]?.spec
  assert.deepEqual([spec?.format, spec?.maxMs, spec?.resume], ['wav', 5000, undefined])
})
