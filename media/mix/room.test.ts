import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { G722Decoder } from '#media/codec/g722.ts'
import { goertzel } from '#media/dtmf/goertzel.ts'
import type { Endpoint, MixTerms, StreamParams } from '#media/engine.ts'
import { openRig, type Phone, type Rig, streamTo, type Told } from '#media/engine/test-rig.ts'

/** One packet time of a member's voice: a tone that only it has. */
const BEAT_SAMPLES = 160

class Talker {
  readonly phone: Phone
  readonly endpoint: Endpoint
  readonly told: Told
  readonly hz: number
  #said = 0

  constructor(rig: Rig, address: string, hz: number, over: Partial<StreamParams> = {}) {
    this.phone = rig.phone(address)
    const { endpoint, told } = rig.open()
    endpoint.aim(streamTo(this.phone.address, over))
    this.endpoint = endpoint
    this.told = told
    this.hz = hz
  }

  talk(): void {
    const pcm = Int16Array.from({ length: BEAT_SAMPLES }, (_, i) => 6000 * Math.sin((2 * Math.PI * this.hz * (this.#said + i)) / 8000))
    this.#said += BEAT_SAMPLES
    this.phone.say(this.endpoint, { payload: Buffer.from(encodeAll('PCMA', pcm)), ssrc: this.hz })
  }

  /** All it heard since last asked. */
  heard(): Int16Array {
    return decodeAll('PCMA', Buffer.concat(this.phone.take().map(({ payload }) => payload)))
  }
}

/** `beats` packet times in which these talk. */
async function talk(rig: Rig, beats: number, ...talkers: readonly Talker[]): Promise<void> {
  for (let n = 0; n < beats; n++) {
    for (const talker of talkers) talker.talk()
    await rig.clock.advanceAsync(20)
  }
}

/** Which of the tones are in it, by amplitude in hundreds. */
function tonesOf(pcm: Int16Array, ...hz: readonly number[]): number[] {
  const part = pcm.subarray(pcm.length - 1600)
  return hz.map((each) => Math.round(Math.sqrt((goertzel(part, 2 * Math.cos((2 * Math.PI * each) / 8000)) * 2) / part.length) / 100))
}

function assertHears(talker: Talker, expected: Readonly<Record<number, number>>): void {
  const hz = Object.keys(expected).map(Number)
  const found = tonesOf(talker.heard(), ...hz)
  const wanted = Object.values(expected)
  assert.ok(
    found.every((level, i) => Math.abs(level - (wanted[i] ?? 0)) <= 3),
    `${talker.hz} Hz heard ${JSON.stringify(found)} of ${hz.join(', ')} Hz, not ${JSON.stringify(wanted)}`,
  )
}

async function room(rig: Rig, ...terms: readonly MixTerms[]): Promise<Talker[]> {
  const members = terms.map((_, i) => new Talker(rig, `198.51.100.${i + 1}`, 500 + 300 * i))
  members.forEach((member, i) => member.endpoint.mix('sales', terms[i]))
  return members
}

test('all in a room hear each other and nobody hears themselves', async () => {
  await using rig = await openRig()
  const members = await room(rig, {}, {}, {})
  await talk(rig, 30, ...members)
  const [a, b, c] = members as [Talker, Talker, Talker]
  assertHears(a, { 500: 0, 800: 60, 1100: 60 })
  assertHears(b, { 500: 60, 800: 0, 1100: 60 })
  assertHears(c, { 500: 60, 800: 60, 1100: 0 })
})

test('who only listens is not heard; who whispers is heard by one; who is turned down is heard less, by whom so wishes', async () => {
  await using rig = await openRig()
  const [agent, customer, supervisor] = (await room(rig, {}, {}, { speaks: 0 })) as [Talker, Talker, Talker]
  await talk(rig, 30, agent, customer, supervisor)
  assertHears(agent, { 800: 60, 1100: 0 })
  assertHears(supervisor, { 500: 60, 800: 60 })
  supervisor.endpoint.mix('sales', { heardBy: [agent.endpoint.id] })
  await talk(rig, 30, agent, customer, supervisor)
  assertHears(agent, { 800: 60, 1100: 60 })
  assertHears(customer, { 500: 60, 1100: 0 })
  supervisor.endpoint.mix('sales', {})
  customer.endpoint.mix('sales', { gains: { [supervisor.endpoint.id]: 0.5 } })
  await talk(rig, 30, agent, customer, supervisor)
  assertHears(customer, { 500: 60, 1100: 30 })
})

test('who hear the same get the same octets, each in a stream of their own', async () => {
  await using rig = await openRig()
  const members = await room(rig, {}, {}, {}, {})
  await talk(rig, 20, members[0] as Talker)
  const [, b, c, d] = members.map((member) => member.phone.take().slice(-10))
  assert.equal(b?.length, 10)
  assert.deepEqual(
    b?.map(({ payload }) => payload),
    c?.map(({ payload }) => payload),
  )
  assert.deepEqual(
    d?.map(({ payload }) => payload),
    c?.map(({ payload }) => payload),
  )
  assert.notEqual(b?.[0]?.ssrc, c?.[0]?.ssrc)
})

test('a room goes on while nobody talks, and ends for who leaves it or is joined with another', async () => {
  await using rig = await openRig()
  const [a, b, c] = (await room(rig, {}, {}, {})) as [Talker, Talker, Talker]
  await talk(rig, 50)
  assert.equal(b.phone.take().length, 50)
  a.phone.take()
  a.endpoint.part()
  await talk(rig, 10)
  assert.equal(a.phone.take().length, 0)
  b.endpoint.join(c.endpoint)
  b.phone.take()
  c.talk()
  assert.equal(b.phone.take().length, 1)
  await talk(rig, 10)
  assert.equal(b.phone.take().length, 0)
})

test('a digit of a member reaches its owner and no other ear', async () => {
  await using rig = await openRig()
  const [a, b] = (await room(rig, {}, {})) as [Talker, Talker]
  for (let n = 0; n < 6; n++) {
    const duration = Math.min(n + 1, 4) * 160
    a.phone.say(a.endpoint, {
      payloadType: 101,
      timestamp: 800,
      payload: Buffer.from([5, n > 3 ? 0x8a : 0x0a, duration >> 8, duration & 0xff]),
    })
    await rig.clock.advanceAsync(20)
  }
  assert.deepEqual(
    a.told.lines.filter((line) => line.startsWith('digit')),
    ['digit 5 80'],
  )
  assert.ok(b.heard().every((sample) => Math.abs(sample) <= 8))
})

test('what the room’s own endpoint plays everybody hears, and what it records is the room; what one is played only it hears', async () => {
  await using rig = await openRig()
  const [a, b] = (await room(rig, {}, {})) as [Talker, Talker]
  const own = rig.open()
  own.endpoint.mix('sales')
  own.endpoint.record('room.ogg')
  own.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 200 }])
  await talk(rig, 12)
  assert.ok(a.heard().some((sample) => Math.abs(sample) > 3000))
  assert.ok(b.heard().some((sample) => Math.abs(sample) > 3000))
  assert.deepEqual(own.told.lines, ['played ended 200'])
  a.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 200 }])
  await talk(rig, 30, b)
  assert.ok(b.heard().every((sample) => Math.abs(sample) <= 8))
  const frames = rig.recorder.opened[0]?.frames ?? []
  assert.ok(frames.length >= 40)
  const recorded = decodeAll('PCMA', Buffer.concat(frames.slice(-10).map(({ payload }) => Buffer.from(payload))))
  assert.ok((tonesOf(recorded, 800)[0] ?? 0) > 50)
})

test('a wideband member hears a narrowband one, and is heard', async () => {
  await using rig = await openRig()
  const narrow = new Talker(rig, '198.51.100.1', 500)
  const wide = new Talker(rig, '198.51.100.2', 900, { codec: 'G722', payloadType: 9 })
  narrow.endpoint.mix('sales')
  wide.endpoint.mix('sales')
  await talk(rig, 30, narrow)
  const packets = wide.phone.take()
  assert.ok(packets.every(({ payloadType, payload }) => payloadType === 9 && payload.length === 160))
  const pcm = new Int16Array(packets.length * 320)
  new G722Decoder().decode(Buffer.concat(packets.map(({ payload }) => payload)), pcm)
  const part = pcm.subarray(pcm.length - 3200)
  const level = Math.sqrt((goertzel(part, 2 * Math.cos((2 * Math.PI * 500) / 16_000)) * 2) / part.length)
  assert.ok(level > 5000, `heard at ${level}`)
})

test('of many who talk the loudest six are mixed, and nobody is clipped', async () => {
  await using rig = await openRig()
  const members = await room(rig, ...Array.from({ length: 10 }, () => ({})))
  await talk(rig, 30, ...members)
  const levels = tonesOf((members[9] as Talker).heard(), ...members.map(({ hz }) => hz))
  assert.ok(levels.filter((level) => level > 15).length <= 6, JSON.stringify(levels))
  assert.ok(levels.filter((level) => level > 15).length >= 5, JSON.stringify(levels))
})

test('two who are joined come into a room and back, and miss no more than the jitter buffer holds back', async () => {
  await using rig = await openRig()
  const [a, b, supervisor] = (await room(rig, {}, {}, { speaks: 0 })) as [Talker, Talker, Talker]
  supervisor.endpoint.part()
  a.endpoint.join(b.endpoint)
  await talk(rig, 20, a, b)
  b.heard()
  for (const endpoint of [a.endpoint, b.endpoint]) endpoint.mix('talk')
  supervisor.endpoint.mix('talk', { speaks: 0 })
  await talk(rig, 30, a, b)
  a.endpoint.join(b.endpoint)
  await talk(rig, 20, a, b)
  const heard = b.heard()
  let [silent, longest] = [0, 0]
  for (let at = 0; at + BEAT_SAMPLES <= heard.length; at += BEAT_SAMPLES) {
    silent = heard.subarray(at, at + BEAT_SAMPLES).some((sample) => Math.abs(sample) > 2_000) ? 0 : silent + 1
    longest = Math.max(longest, silent)
  }
  assert.ok(heard.length >= 48 * BEAT_SAMPLES, `${heard.length / BEAT_SAMPLES} packets`)
  assert.ok(longest <= 3, `${longest} packets without a voice`)
})
