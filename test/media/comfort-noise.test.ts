import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { encodeAll } from '#media/codec/g711.ts'
import { readSound } from '#media/file/read-sound.ts'
import { writeWav } from '#media/file/write-wav.ts'
import { babble } from '#media/listen/babble.ts'
import { levelDb, stretches } from '#media/listen/stretches.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import { type Replayed, rtpCapture } from '#test/support/pcap.ts'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { claimPort, claimPorts } from '#test/support/ports.ts'
import { until } from '#test/support/sounds.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

/** SIPp replays packets by a raw socket. */
const mayNotReplay = process.getuid?.() === 0 ? false : 'only root may send by a raw socket'
const skip = withoutSipp || noBaresip || noLinphone || mayNotReplay

const address = '127.0.0.46'
const port = await claimPort()
const password = 'Another.horse.battery'
const frameMs = 20
const voiceMs = 1_000
/** The noise behind the first words, and what it has become a while later (RFC 3389 §3.1), each told once. */
const noises = [
  { dBov: -60, ms: 1_000 },
  { dBov: -50, ms: 1_000 },
]
const gapMs = noises.reduce((sum, { ms }) => sum + ms, 0)
const totalMs = 2 * voiceMs + gapMs
/** Between the noise and a voice. */
const voiceDb = -38
/** A phone takes a while to play what it hears anew, and to follow a change. */
const edgeMs = 300
const noiseType = 13
/** So many packets of words before and after the noise are looked at. */
const wordPackets = 40
/** How far from what was told a noise may be heard: Opus makes it softer, and the noise that linphone makes is 5 dB louder. */
const mostOffDb = { G722: 3, PCMA: 3, opus: 6, linphone: 7 }
/** Reflection coefficients of white noise: ten of nought (§3.2). */
const white = Array.from({ length: 10 }, () => 127)
/** From one noise to the next everybody must hear the step. */
const mostOffStepDb = 3
const rounds = 3

const device = (user: string): Doc[] => [
  { kind: 'device', id: `phone-${user}`, username: user, password, algorithms: ['MD5'] },
  { kind: 'extension', id: user, number: user, target: { device: `phone-${user}` } },
  { kind: 'number', id: `to-${user}`, number: `+74950000${user}`, target: { extension: user } },
]

describe('a carrier that sends nothing while nobody speaks, but tells of the noise there', { skip }, () => {
  let at: AcmeSystem
  let folder: string
  let capture: string
  before(async () => {
    at = await AcmeSystem.start([...acme(trunk('carrier', address, port), everythingTo('carrier')), ...device('171'), ...device('172')])
    folder = await mkdtemp(join(tmpdir(), 'centrala-noise-'))
    capture = join(folder, 'said.pcap')
    await writeFile(capture, rtpCapture(said()))
    await writeFile(join(folder, 'nothing.wav'), writeWav(new Int16Array(60 * 8_000)))
  })
  after(async () => {
    await at[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function options(user: string, more: Partial<PhoneOptions>): Promise<PhoneOptions> {
    const server = `${at.sip.address}:${at.sip.port}`
    const { first } = await claimPorts(80)
    return {
      folder: join(folder, user),
      user,
      password,
      server,
      transport: 'udp',
      port: first,
      plays: join(folder, 'nothing.wav'),
      ...more,
    }
  }

  for (const codec of ['G722', 'opus', 'PCMA'] as const) {
    test(`a phone with ${codec}, which knows nothing of it, hears noise as loud as told between the words`, async () => {
      await inRounds(async (round) => {
        await using phone = await Baresip.start(await options('171', { codec, folder: join(folder, `${codec}-${round}`) }))
        const from = phone.said.mark
        const keys = { dialled: '+74950000171', capture, ms: String(totalMs) }
        await using carrier = await Sipp.call({ scenario: 'falls-silent-calling', address, port, keys }, at.sip)
        await phone.incoming(from)
        await phone.answer()
        await carrier.done()
        await phone.ended(from)
        await assertHeard(phone, mostOffDb[codec])
      })
    })
  }

  test('a phone that takes it is told, and makes the noise itself', async () => {
    await inRounds(async (round) => {
      await using phone = await Linphone.start(await options('172', { comfortNoise: true, folder: join(folder, `linphone-${round}`) }))
      await using carrier = await Sipp.serve({ scenario: 'falls-silent-called', address, port, keys: { capture } })
      const from = phone.said.mark
      await phone.call('+74951234567')
      await phone.talking(from)
      await phone.hears(totalMs)
      await phone.hangUp()
      await carrier.done()
      await assertHeard(phone, mostOffDb.linphone)
    })
  })

  test('what it is told is what was said: no audio meanwhile, each description as it came, under its type, numbered in line', async () => {
    using closing = new DisposableStack()
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    closing.defer(() => socket.close())
    await once(socket, 'listening')
    const packets: Buffer[] = []
    socket.on('message', (packet) => packets.push(packet))
    const { phone } = at
    assert.equal((await phone.register()).status, 200)
    phone.audio = [`m=audio ${socket.address().port} RTP/AVP 8 ${noiseType}`, 'a=rtpmap:8 PCMA/8000', `a=rtpmap:${noiseType} CN/8000`]
    await using carrier = await Sipp.serve({ scenario: 'falls-silent-called', address, port, keys: { capture } })
    const call = await phone.call('+74951234567')
    assert.match(call.message.body, /^m=audio \d+ RTP\/AVP 8 13\b/m)
    const ofNoise = (): Buffer[] => packets.filter((packet) => typeOf(packet) === noiseType)
    const after = (): number => packets.length - 1 - packets.findLastIndex((packet) => typeOf(packet) === noiseType)
    await until('words come after the noise', async () => Promise.resolve(ofNoise().length === noises.length && after() >= wordPackets))
    await call.bye()
    await carrier.done()
    // Before and after the carrier has spoken we may have said something ourselves.
    const sent = said()
    const sentFrom = sent.findIndex(({ type }) => type === noiseType) - wordPackets
    const heardFrom = packets.findIndex((packet) => typeOf(packet) === noiseType) - wordPackets
    const count = 2 * wordPackets + noises.length
    const heard = packets.slice(heardFrom, heardFrom + count)
    const [first] = heard
    assert.ok(first !== undefined)
    assert.deepEqual(
      heard.map((packet) => ({
        type: typeOf(packet),
        nth: (packet.readUInt16BE(2) - first.readUInt16BE(2)) & 0xffff,
        ticks: (packet.readUInt32BE(4) - first.readUInt32BE(4)) >>> 0,
        payload: packet.toString('hex', 12),
      })),
      sent.slice(sentFrom, sentFrom + count).map(({ type, timestamp, payload }, nth) => ({
        ...{ type, nth, ticks: timestamp - (sent[sentFrom]?.timestamp ?? 0), payload: Buffer.from(payload).toString('hex') },
      })),
    )
  })

  /** Words, noise as it was told, words. */
  async function assertHeard(phone: Phone, offDb: number): Promise<void> {
    const [file] = await phone.recordings()
    assert.ok(file !== undefined)
    const sound = await readSound(file)
    assert.ok(sound.kind !== 'bad-sound', file)
    const parts = stretches(sound.pcm, { silenceDb: voiceDb, leastMs: 600 })
    const nth = parts.findIndex(({ kind }, i) => kind === 'sound' && parts[i + 1]?.kind === 'silence' && parts[i + 2]?.kind === 'sound')
    const gap = parts[nth + 1]
    const told = `${phone.name} heard ${JSON.stringify(parts)}`
    assert.ok(nth >= 0 && gap !== undefined && Math.abs(gap.toMs - gap.fromMs - gapMs) <= edgeMs, told)
    let from = gap.fromMs
    const off = noises.map(({ dBov, ms }) => {
      const level = levelDb(sound.pcm, (from + edgeMs) * 8, (from + ms - edgeMs) * 8)
      from += ms
      return Math.round(level - dBov)
    })
    const [first = NaN, second = NaN] = off
    assert.ok(
      Math.abs(first) <= offDb && Math.abs(second) <= offDb && Math.abs(first - second) <= mostOffStepDb,
      `${off.join(', ')} dB off: ${told}`,
    )
  }
})

/** Where the machine stands still, a recording has less or more than was said: what the product makes of a description it makes in each round. */
async function inRounds(call: (round: number) => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      return await call(round)
    } catch (fault) {
      if (round === rounds || !(fault instanceof assert.AssertionError)) throw fault
      process.stderr.write(`round ${round}: ${String(fault)}\n`)
    }
  }
}

/** What the carrier says: words, a description of the noise, another, words. */
function said(): Replayed[] {
  const packets: Replayed[] = []
  let atMs = 0
  const add = (type: number, ms: number, payload: Uint8Array): void => {
    packets.push({ atMs, type, timestamp: atMs * 8, payload })
    atMs += ms
  }
  const speak = (seed: number): void => {
    const voice = encodeAll('PCMA', babble(seed, voiceMs))
    for (let from = 0; from < voice.length; from += frameMs * 8) add(8, frameMs, voice.subarray(from, from + frameMs * 8))
  }
  speak(1)
  for (const { dBov, ms } of noises) add(noiseType, ms, Buffer.of(-dBov, ...white))
  speak(3)
  return packets
}

function typeOf(packet: Buffer): number {
  return (packet[1] ?? 0) & 0x7f
}
