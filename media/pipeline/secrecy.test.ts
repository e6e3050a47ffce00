import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '#media/engine.ts'
import { openRig, type Phone, type Rig, streamTo, type Told } from '#media/engine/test-rig.ts'
import { writeRtpHeader } from '#media/rtp/header.ts'
import { SrtpReceiver } from '#media/srtp/receiver.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import { type SrtpKey, type SrtpSuite, SUITES } from '#media/srtp/suites.ts'

function keyOf(suite: SrtpSuite, seed: number): SrtpKey {
  const { keyBytes, saltBytes } = SUITES[suite]
  return { suite, key: Buffer.alloc(keyBytes + saltBytes, seed).toString('base64') }
}

/** A phone that speaks SRTP, and its endpoint. */
class SecureParty {
  readonly phone: Phone
  readonly endpoint: Endpoint
  readonly told: Told
  readonly sender: SrtpSender
  readonly receiver: SrtpReceiver

  constructor(rig: Rig, address: string, suite: SrtpSuite, seed: number) {
    this.phone = rig.phone(address)
    const { endpoint, told } = rig.open()
    this.endpoint = endpoint
    this.told = told
    const [ours, theirs] = [keyOf(suite, seed), keyOf(suite, seed + 1)]
    endpoint.aim({ ...streamTo(this.phone.address), crypto: { send: ours, receive: theirs } })
    const [sender, receiver] = [SrtpSender.open(theirs), SrtpReceiver.open(ours)]
    assert.ok(sender !== null && receiver !== null)
    this.sender = sender
    this.receiver = receiver
  }

  packet(sequence: number, fill: number): Buffer {
    return Buffer.from(this.sender.protect(plain(sequence, fill), 0, 172) as Buffer)
  }

  say(packet: Buffer): void {
    this.phone.socket.send(packet, this.endpoint.local)
  }

  /** First payload octets of what came, opened; -1 for what did not open. */
  heard(): number[] {
    return this.phone.socket.received.splice(0).map((bytes) => {
      const packet = Buffer.from(bytes)
      const end = this.receiver.unprotect(packet)
      return end < 0 ? -1 : (packet[12] as number)
    })
  }
}

function plain(sequence: number, fill: number): Buffer {
  const packet = Buffer.alloc(172, fill)
  writeRtpHeader(packet, 0, 0x55, { payloadType: 8, marker: false, sequence: sequence & 0xffff, timestamp: sequence * 160 })
  return packet
}

test('a protected party and one in clear hear each other', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AES_CM_128_HMAC_SHA1_80', 1)
  const b = rig.phone('198.51.100.2')
  const { endpoint } = rig.open()
  endpoint.aim(streamTo(b.address))
  a.endpoint.join(endpoint)
  a.say(a.packet(1, 9))
  assert.equal(b.take()[0]?.payload[0], 9)
  b.say(endpoint, { payload: Buffer.alloc(160, 7) })
  assert.equal(a.phone.socket.received[0]?.length, 182)
  assert.deepEqual(a.heard(), [7])
})

test('two protected parties of different suites hear each other', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AEAD_AES_256_GCM', 1)
  const b = new SecureParty(rig, '198.51.100.2', 'AES_CM_128_HMAC_SHA1_32', 11)
  a.endpoint.join(b.endpoint)
  for (let n = 0; n < 3; n++) a.say(a.packet(n, 20 + n))
  b.say(b.packet(9, 66))
  assert.deepEqual(b.heard(), [20, 21, 22])
  assert.deepEqual(a.heard(), [66])
})

test('packets in clear, forged and replayed are not heard, do not end the call, and are counted', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AES_CM_128_HMAC_SHA1_80', 1)
  const b = new SecureParty(rig, '198.51.100.2', 'AES_CM_128_HMAC_SHA1_80', 5)
  a.endpoint.join(b.endpoint)
  const good = a.packet(1, 9)
  a.say(good)
  for (let n = 0; n < 200; n++) {
    const forged = Buffer.from(good)
    forged[40] = n
    forged.writeUInt16BE(100 + n, 2)
    a.say(forged)
  }
  a.say(plain(2, 1))
  a.say(good)
  a.say(a.packet(3, 8))
  assert.deepEqual(b.heard(), [9, 8])
  a.endpoint.close()
  await rig.clock.advanceAsync(0)
  assert.deepEqual([a.told.stats[0]?.badTags, a.told.stats[0]?.replays, a.told.stats[0]?.packetsReceived], [201, 1, 2])
})

test('after a change of key what is still on its way under the old one is heard for a while', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AES_CM_128_HMAC_SHA1_80', 1)
  const b = new SecureParty(rig, '198.51.100.2', 'AES_CM_128_HMAC_SHA1_80', 5)
  a.endpoint.join(b.endpoint)
  a.say(a.packet(1, 9))
  const [late, tooLate] = [a.packet(2, 10), a.packet(4, 11)]
  const other = keyOf('AES_CM_128_HMAC_SHA1_80', 77)
  a.endpoint.aim({ ...streamTo(a.phone.address), crypto: { send: keyOf('AES_CM_128_HMAC_SHA1_80', 1), receive: other } })
  a.say(late)
  a.say(Buffer.from(SrtpSender.open(other)?.protect(plain(3, 12), 0, 172) as Buffer))
  assert.deepEqual(b.heard(), [9, 10, 12])
  await rig.clock.advanceAsync(6000)
  b.phone.socket.received.splice(0)
  a.say(tooLate)
  assert.deepEqual(b.heard(), [])
})

/** A peer whose numbers have wrapped `wraps` times under a key. */
function afterWraps(key: SrtpKey, wraps: number): SrtpSender {
  const sender = SrtpSender.open(key)
  assert.ok(sender !== null)
  for (let n = 0; n <= wraps * 65_536; n += 16_384) sender.protect(plain(n, 0), 0, 172)
  return sender
}

for (const [suite, goesOn, wraps] of [
  ['AES_CM_128_HMAC_SHA1_80', 'goes on', 3],
  ['AES_CM_128_HMAC_SHA1_80', 'begins at 0', 0],
  ['AEAD_AES_128_GCM', 'goes on', 3],
  ['AEAD_AES_128_GCM', 'begins at 0', 0],
] as const) {
  test(`a peer that changes its key late in a call is heard, its rollover counter ${goesOn}: ${suite}`, async () => {
    await using rig = await openRig()
    const a = new SecureParty(rig, '198.51.100.1', suite, 1)
    const b = new SecureParty(rig, '198.51.100.2', suite, 5)
    a.endpoint.join(b.endpoint)
    for (let n = 0; n <= 3 * 65_536; n += 16_384) a.say(a.packet(n, 9))
    b.phone.socket.received.splice(0)
    const late = a.packet(3 * 65_536 + 1, 10)
    const changeTo = (receive: SrtpKey): void =>
      a.endpoint.aim({ ...streamTo(a.phone.address), crypto: { send: keyOf(suite, 1), receive } })
    changeTo(keyOf(suite, 77))
    a.say(late)
    // Another change comes before anything was heard under this key.
    changeTo(keyOf(suite, 78))
    const sender = afterWraps(keyOf(suite, 78), wraps)
    for (const n of [2, 3]) a.say(Buffer.from(sender.protect(plain(3 * 65_536 + n, 9 + n), 0, 172) as Buffer))
    assert.deepEqual(b.heard(), [10, 11, 12])
  })
}

test('a peer that changes its key after a hold with music from elsewhere is heard, whichever of the two comes first', async () => {
  for (const musicFirst of [false, true]) {
    await using rig = await openRig()
    const suite = 'AES_CM_128_HMAC_SHA1_80'
    const a = new SecureParty(rig, '198.51.100.1', suite, 1)
    const b = new SecureParty(rig, '198.51.100.2', suite, 5)
    a.endpoint.join(b.endpoint)
    for (let n = 0; n <= 3 * 65_536; n += 16_384) a.say(a.packet(n, 9))
    const music = (sender: SrtpSender, n: number): void => {
      const packet = plain(n, 20)
      packet.writeUInt32BE(0x77, 8)
      a.say(Buffer.from(sender.protect(packet, 0, 172) as Buffer))
    }
    music(a.sender, 1)
    b.phone.socket.received.splice(0)
    const key = keyOf(suite, 77)
    a.endpoint.aim({ ...streamTo(a.phone.address), crypto: { send: keyOf(suite, 1), receive: key } })
    const sender = afterWraps(key, 3)
    if (musicFirst) music(SrtpSender.open(key) ?? assert.fail(), 2)
    a.say(Buffer.from(sender.protect(plain(3 * 65_536 + 2, 11), 0, 172) as Buffer))
    assert.deepEqual(b.heard(), musicFirst ? [20, 11] : [11])
  }
})

test('a re-INVITE that keeps the key keeps the stream: numbers go on, replays stay replays', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AES_CM_128_HMAC_SHA1_80', 1)
  const b = new SecureParty(rig, '198.51.100.2', 'AES_CM_128_HMAC_SHA1_80', 5)
  a.endpoint.join(b.endpoint)
  const first = a.packet(1, 9)
  a.say(first)
  const crypto = { send: keyOf('AES_CM_128_HMAC_SHA1_80', 1), receive: keyOf('AES_CM_128_HMAC_SHA1_80', 2) }
  a.endpoint.aim({ ...streamTo(a.phone.address), direction: 'inactive', crypto })
  a.endpoint.aim({ ...streamTo(a.phone.address), crypto })
  a.say(first)
  a.say(a.packet(2, 10))
  assert.deepEqual(b.heard(), [9, 10])
})

test('a key that cannot be used lets nothing through in either direction', async () => {
  await using rig = await openRig()
  const a = new SecureParty(rig, '198.51.100.1', 'AES_CM_128_HMAC_SHA1_80', 1)
  const b = new SecureParty(rig, '198.51.100.2', 'AES_CM_128_HMAC_SHA1_80', 5)
  a.endpoint.join(b.endpoint)
  const none = { suite: 'AES_CM_128_HMAC_SHA1_80', key: 'AAAA' } as const
  a.endpoint.aim({ ...streamTo(a.phone.address), crypto: { send: none, receive: none } })
  a.say(plain(1, 9))
  b.say(b.packet(1, 9))
  assert.deepEqual([a.heard(), b.heard()], [[], []])
})
