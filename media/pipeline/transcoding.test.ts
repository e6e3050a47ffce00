import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadLibopus } from 'libopus-wasm'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { openDecoder, openEncoder, payloadMs } from '#media/codec/streams.ts'
import { Doubler } from '#media/dsp/half-band.ts'
import { goertzel } from '#media/dtmf/goertzel.ts'
import { renderDigits } from '#media/dtmf/keypad.ts'
import type { Codec, StreamParams } from '#media/engine.ts'
import { openRig, type Phone, type Rig, streamTo } from '#media/engine/test-rig.ts'
import { seeded } from '#media/jitter/test-stream.ts'

// Loaded once for the process; after that a codec is there within a turn.
before(async () => {
  await loadLibopus()
})

const typeOf: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8, G722: 9, opus: 107 }

function party(rig: Rig, address: string, codec: Codec, over: Partial<StreamParams> = {}) {
  const phone = rig.phone(address)
  const { endpoint, told } = rig.open()
  endpoint.aim(streamTo(phone.address, { codec, payloadType: typeOf[codec], ...over }))
  return { phone, endpoint, told, codec }
}

/** Level of a frequency in samples, as the amplitude of its sine. */
function levelOf(pcm: Int16Array, hz: number, rateHz: number): number {
  return Math.sqrt((goertzel(pcm, 2 * Math.cos((2 * Math.PI * hz) / rateHz)) * 2) / pcm.length)
}

/** A second of a tone from one party, packet by packet; every codec's encoder is its own. */
async function speak(
  rig: Rig,
  from: ReturnType<typeof party>,
  hz: number,
  { packets, ptimeMs }: { packets: number; ptimeMs: number } = { packets: 60, ptimeMs: 20 },
): Promise<void> {
  const { rateHz, clockHz } = CODEC_TERMS[from.codec]
  const encoder = openEncoder(from.codec, rateHz)
  await new Promise((resolve) => setImmediate(resolve))
  const samples = (ptimeMs * rateHz) / 1000
  for (let n = 0; n < packets; n++) {
    const pcm = Int16Array.from({ length: samples }, (_, i) => 8000 * Math.sin((2 * Math.PI * hz * (n * samples + i)) / rateHz))
    const payload = Buffer.alloc(1500)
    const bytes = encoder.encode(pcm, payload, 0)
    const timestamp = (n * ptimeMs * clockHz) / 1000
    from.phone.say(from.endpoint, { payloadType: typeOf[from.codec], timestamp, payload: payload.subarray(0, bytes) })
    await rig.clock.advanceAsync(ptimeMs)
    if (n < 5) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** What a phone heard, decoded; the last half of it. */
async function heard(phone: Phone, codec: Codec): Promise<{ pcm: Int16Array; rateHz: number; timestamps: number[]; ms: number[] }> {
  const { rateHz } = CODEC_TERMS[codec]
  const decoder = openDecoder(codec, rateHz)
  await new Promise((resolve) => setImmediate(resolve))
  const packets = phone.take()
  const parts = packets.map(({ payload }) => {
    const pcm = new Int16Array(1920)
    return pcm.subarray(0, decoder.decode(payload, pcm))
  })
  const all = Int16Array.from(parts.flatMap((part) => [...part]))
  return {
    pcm: all.subarray(all.length >> 1),
    rateHz: decoder.rateHz,
    timestamps: packets.map(({ timestamp }) => timestamp),
    ms: packets.map(({ payload }) => payloadMs(codec, payload)),
  }
}

const pairs: readonly (readonly [Codec, Codec])[] = [
  ['G722', 'PCMA'],
  ['PCMU', 'G722'],
  ['opus', 'PCMA'],
  ['PCMA', 'opus'],
  ['G722', 'opus'],
  ['opus', 'G722'],
]

for (const [one, other] of pairs) {
  test(`${one} is heard as ${other}, with timestamps on the clock of ${other}`, async () => {
    await using rig = await openRig()
    const [a, b] = [party(rig, '198.51.100.1', one), party(rig, '198.51.100.2', other)]
    a.endpoint.join(b.endpoint)
    await speak(rig, a, 700)
    const { pcm, rateHz, timestamps } = await heard(b.phone, other)
    assert.ok(pcm.length > 0.4 * rateHz, `${pcm.length} samples`)
    const level = levelOf(pcm, 700, rateHz)
    assert.ok(level > 6500 && level < 9500, `heard at ${level}`)
    const tail = timestamps.slice(-20)
    const step = (CODEC_TERMS[other].clockHz * 20) / 1000
    assert.ok(tail.slice(1).every((timestamp, i) => ((timestamp - (tail[i] as number)) | 0) === step))
  })
}

test('another packet time is made when the peer asks for it, and only then', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1', 'PCMA'), party(rig, '198.51.100.2', 'PCMA', { ptimeMs: 60 })]
  a.endpoint.join(b.endpoint)
  await speak(rig, a, 700, { packets: 200, ptimeMs: 10 })
  const atB = await heard(b.phone, 'PCMA')
  assert.ok(
    atB.ms.slice(5).every((ms) => ms === 60),
    atB.ms.join(' '),
  )
  assert.ok(levelOf(atB.pcm, 700, 8000) > 7500)
  await speak(rig, b, 500, { packets: 40, ptimeMs: 60 })
  const atA = await heard(a.phone, 'PCMA')
  assert.ok(
    atA.ms.slice(5).every((ms) => ms === 20),
    atA.ms.join(' '),
  )
})

test('a stream whose clock changes gets a new SSRC, and one that changes its codec alone does not (RFC 7160 §4.1)', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1', 'PCMA'), party(rig, '198.51.100.2', 'PCMA')]
  a.endpoint.join(b.endpoint)
  const ssrcs: number[] = []
  for (const codec of ['PCMA', 'G722', 'opus', 'PCMA'] as const) {
    b.endpoint.aim(streamTo(b.phone.address, { codec, payloadType: typeOf[codec] }))
    await speak(rig, a, 700, { packets: 30, ptimeMs: 20 })
    const packets = b.phone.take()
    assert.deepEqual([...new Set(packets.map(({ payloadType }) => payloadType))], [typeOf[codec]])
    const [first] = packets
    assert.ok(first !== undefined && packets.every(({ ssrc }) => ssrc === first.ssrc))
    ssrcs.push(first.ssrc)
  }
  const [pcma, g722, opus, again] = ssrcs
  assert.equal(g722, pcma)
  assert.equal(new Set([pcma, opus, again]).size, 3)
})

test('a stream under a new SSRC is reported of as a sender’s at once, and what was lost of the last one does not count for it', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1', 'PCMA')
  a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  await rig.clock.advanceAsync(60_000)
  const report = Buffer.alloc(32)
  report.set([0x81, 201, 0, 7])
  report.writeUInt32BE(a.phone.take()[0]?.ssrc ?? 0, 8)
  report.writeIntBE(100, 13, 3)
  a.phone.rtcp.send(report, { ...a.endpoint.local, port: a.endpoint.local.port + 1 })
  await rig.clock.advanceAsync(20)
  a.phone.rtcp.received.length = 0
  a.endpoint.aim(streamTo(a.phone.address, { codec: 'opus', payloadType: typeOf.opus }))
  await rig.clock.advanceAsync(10_000)
  const [ssrc, reports] = [a.phone.take().at(-1)?.ssrc, a.phone.rtcp.received]
  assert.ok(reports.length > 0 && reports.every((packet) => packet[1] === 200 && packet.readUInt32BE(4) === ssrc))
  a.endpoint.close()
  await rig.clock.advanceAsync(0)
  const [stats] = a.told.stats
  assert.ok(stats !== undefined && stats.packetsSent > 3400 && stats.remoteLost === null)
  assert.equal(stats.quality?.sent, null)
})

test('what is encoded after a pause begins with the marker, and its timestamp says how long the pause was (RFC 3551 §4.1)', async () => {
  for (const codec of ['PCMA', 'opus'] as const) {
    await using rig = await openRig()
    const [a, b] = [party(rig, '198.51.100.1', 'G722'), party(rig, '198.51.100.2', codec)]
    a.endpoint.join(b.endpoint)
    await speak(rig, a, 700, { packets: 30, ptimeMs: 20 })
    await rig.clock.advanceAsync(2000)
    await speak(rig, a, 700, { packets: 30, ptimeMs: 20 })
    const packets = b.phone.take()
    const [begun, resumed, ...more] = packets.filter(({ marker }) => marker)
    assert.ok(begun !== undefined && begun === packets[0] && resumed !== undefined && more.length === 0, codec)
    const ms = ((resumed.timestamp - begun.timestamp) | 0) / (CODEC_TERMS[codec].clockHz / 1000)
    assert.ok(Math.abs(ms - 2600) <= 100, `${codec}: ${ms} ms from the first word to the first after the pause`)
    assert.ok(packets.every(({ sequence }, n) => sequence === ((begun.sequence + n) & 0xffff)))
  }
})

test('packets of the same codec and packet time pass untouched, whatever is in them', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1', 'G722'), party(rig, '198.51.100.2', 'G722')]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint, { payloadType: 9, payload: Buffer.alloc(160, 0x5a) })
  assert.deepEqual([...new Set(b.phone.take()[0]?.payload)], [0x5a])
})

test('what is played and what is sounded to a peer of another codec is in its codec', async () => {
  for (const codec of ['G722', 'opus'] as const) {
    await using rig = await openRig()
    const a = party(rig, '198.51.100.1', codec, { dtmfPayloadType: null })
    a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
    for (let n = 0; n < 50; n++) {
      await rig.clock.advanceAsync(20)
      if (n < 5) await new Promise((resolve) => setImmediate(resolve))
    }
    const { pcm, rateHz } = await heard(a.phone, codec)
    assert.ok(levelOf(pcm, 425, rateHz) > 1000, `${codec}: ${levelOf(pcm, 425, rateHz)}`)
  }
})

test('over a line that loses 5 %, jitters by 30 ms and reorders, every digit arrives once on the other codec’s side, and the tone is heard', async () => {
  await using rig = await openRig()
  const random = seeded(3)
  const [a, b] = [party(rig, '198.51.100.1', 'PCMA'), party(rig, '198.51.100.2', 'G722')]
  a.endpoint.join(b.endpoint)
  let sequence = 0
  const send = (payloadType: number, timestamp: number, payload: Buffer): void => {
    const n = sequence++
    if (random.below(100) < 5) return
    const fields = { sequence: n, payloadType, timestamp, payload }
    rig.clock.after(random.below(31), () => a.phone.say(a.endpoint, fields))
  }
  const digits = '159#0482'
  let tick = 0
  for (const digit of digits) {
    for (let n = 0; n < 15; n++, tick++) {
      const pcm = Int16Array.from({ length: 160 }, (_, i) => 8000 * Math.sin((2 * Math.PI * 600 * (tick * 160 + i)) / 8000))
      send(8, tick * 160, Buffer.from(encodeAll('PCMA', pcm)))
      await rig.clock.advanceAsync(20)
    }
    const begin = tick * 160
    const event = '0123456789*#'.indexOf(digit)
    for (let n = 1; n <= 8; n++, tick++) {
      const duration = Math.min(n, 6) * 160
      send(101, begin, Buffer.from([event, n >= 6 ? 0x8a : 0x0a, duration >> 8, duration & 0xff]))
      await rig.clock.advanceAsync(20)
    }
  }
  await rig.clock.advanceAsync(2000)
  const told = a.told.lines.filter((line) => line.startsWith('digit')).map((line) => line.split(' ')[1])
  assert.equal(told.join(''), digits)
  const packets = b.phone.take()
  const events = packets.filter(({ payloadType }) => payloadType === 101)
  assert.deepEqual(
    [...new Set(events.map(({ timestamp, payload }) => `${timestamp} ${payload[0]}`))].map((each) => Number(each.split(' ')[1])),
    [...digits].map((digit) => '0123456789*#'.indexOf(digit)),
  )
  const pcm = new Int16Array(packets.length * 320)
  const decoder = openDecoder('G722', 16_000)
  let at = 0
  for (const { payload } of packets.filter(({ payloadType }) => payloadType === 9)) at += decoder.decode(payload, pcm.subarray(at))
  // Of 120 packets 114 or so arrive; in the pauses of the digits there is silence.
  const share = levelOf(pcm.subarray(0, at), 600, 16_000) / 8000
  assert.ok(share > 0.4, `the tone is there at ${share}`)
})

test('comfort noise is passed on to who takes it, and made for who does not', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1', 'PCMA'), party(rig, '198.51.100.2', 'PCMA', { noisePayloadType: 13 })]
  a.endpoint.join(b.endpoint)
  a.phone.say(a.endpoint, { payloadType: 13, payload: Buffer.of(40) })
  assert.deepEqual(
    b.phone.take().map(({ payloadType }) => payloadType),
    [13],
  )
  b.endpoint.aim(streamTo(b.phone.address))
  a.phone.say(a.endpoint, { payloadType: 13, payload: Buffer.of(40) })
  await rig.clock.advanceAsync(500)
  const made = b.phone.take()
  assert.ok(made.length >= 20, `${made.length} packets of noise`)
  const pcm = decodeAll('PCMA', Buffer.concat(made.map(({ payload }) => payload)))
  const level = 20 * Math.log10(Math.sqrt(pcm.reduce((sum, sample) => sum + sample ** 2, 0) / pcm.length) / 32_768)
  assert.ok(Math.abs(level + 40) < 3, `${level} dBov`)
  a.phone.say(a.endpoint, { payload: Buffer.alloc(160, 0x31) })
  assert.equal(b.phone.take()[0]?.payload[0], 0x31)
})

test('digits in the audio of a peer without telephone-events are heard, in any codec, also through loss', async () => {
  for (const codec of ['PCMA', 'G722'] as const) {
    await using rig = await openRig()
    const a = party(rig, '198.51.100.1', codec, { dtmfPayloadType: null })
    const pcm = renderDigits('4711#', { toneMs: 100, gapMs: 100 })
    const wide = new Int16Array(pcm.length * 2)
    new Doubler().run(pcm, wide)
    const encoder = openEncoder(codec, 16_000)
    for (let n = 0; (n + 1) * 160 <= pcm.length; n++) {
      const payload = Buffer.alloc(160)
      encoder.encode(codec === 'G722' ? wide.subarray(n * 320, n * 320 + 320) : pcm.subarray(n * 160, n * 160 + 160), payload, 0)
      if (n !== 12) a.phone.say(a.endpoint, { sequence: n, payloadType: typeOf[codec], timestamp: n * 160, payload })
      await rig.clock.advanceAsync(20)
    }
    await rig.clock.advanceAsync(500)
    const told = a.told.lines.filter((line) => line.startsWith('digit')).map((line) => line.split(' ')[1])
    assert.equal(told.join(''), '4711#', codec)
  }
})
