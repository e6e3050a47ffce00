import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { SrtpSender } from '#media/srtp/sender.ts'
import { setTimeout as pause } from 'node:timers/promises'
import { Siege } from '#test/abuse/siege.ts'
import { Attacker, evilFrame, rtpPacket, Speaker, spraysPerPort } from '#test/attack/rtp-sockets.ts'
import { Api } from '#test/support/api.ts'
import { FactLog } from '#test/support/fact-log.ts'
import { claimPort, claimPorts } from '#test/support/ports.ts'
import { header, type WireMessage } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** What the caller's and the callee's audio is made of. */
const callerFrame = 0x21
const calleeFrame = 0x42
/** Frames that show that the two hear each other: a second. */
const second = 50
const claimed = 340
const { first } = await claimPorts(claimed)
const ports = { first, last: first + claimed - 1 }
/** Ports that get all of it at a time, and how often. */
const lot = 20
const lotMs = 30

const documents = [
  {
    kind: 'company',
    id: 'attacked',
    name: 'Attacked',
    timezone: 'Europe/Moscow',
    country: 'RU',
    language: 'ru',
    sipDomains: ['attacked.example'],
    // The test's phones speak UDP.
    mediaKeysInClear: true,
  },
  ...['101', '102'].flatMap((user) => [
    { kind: 'device', id: user, username: user, password: `Attacked.${user}` },
    { kind: 'extension', id: user, number: user, target: { device: user } },
  ]),
]

describe('an attacker on a third address gets no audio and is not heard', () => {
  let system: RunningSystem
  let facts: FactLog
  let siege: Siege

  before(async () => {
    system = await RunningSystem.start({
      CENTRALA_RTP_FIRST_PORT: String(ports.first),
      CENTRALA_RTP_LAST_PORT: String(ports.last),
      // Loopback alone is near: an SDP that says 10.0.0.7 is that of a phone behind NAT.
      CENTRALA_LOCAL_NETWORKS: '127.0.0.0/8',
    })
    const operator = await Api.of(system.settings, 'operator', 'demo')
    await operator.give('PUT', '/v1/configuration', { documents })
    facts = await FactLog.open(await Api.of(system.settings, 'page'))
    siege = await Siege.on(system)
  })
  after(async () => {
    await using _closing = system
    facts[Symbol.dispose]()
    await siege.end()
  })

  const open = async (user: string, address: string): Promise<WirePhone> => {
    const account = { user, domain: 'attacked.example', password: `Attacked.${user}` }
    const phone = await WirePhone.open(account, { address: '127.0.0.1', port: system.settings.sip.port }, address)
    assert.equal((await phone.register()).status, 200)
    return phone
  }

  for (const { name, says } of [
    { name: 'to a phone whose SDP says where it is', says: '127.0.0.2' },
    { name: 'to a phone behind NAT, whose SDP says a private address', says: '10.0.0.7' },
  ]) {
    test(`${name}: before, at and after the answer, across hold and re-INVITE`, () =>
      siege.beside(async () => {
        const begin = facts.mark
        const isNat = says !== '127.0.0.2'
        const base = await claimPort()
        await using caller = await open('101', '127.0.0.2')
        await using callee = await open('102', '127.0.0.3')
        await using speaker = await Speaker.open('127.0.0.2', base, callerFrame)
        await using moved = await Speaker.open('127.0.0.2', base + 4, callerFrame)
        await using other = await Speaker.open('127.0.0.3', base, calleeFrame)
        await using stranger = await Attacker.open('127.0.0.66', base)
        // Another program at a peer's own address is no peer, either; but before a peer behind NAT has spoken nobody can tell which it is.
        await using neighbour = await Attacker.open('127.0.0.2', base + 8)
        const attackers = [stranger, neighbour]
        stranger.ssrc = speaker.ssrc
        neighbour.ssrc = other.ssrc
        let isAttacking = true
        let hasSpoken = false
        const attack = async (): Promise<void> => {
          for (let at = ports.first; isAttacking; at = at + lot > ports.last ? ports.first : at + lot) {
            for (const each of attackers) {
              if (each !== neighbour || !isNat || hasSpoken) each.spray({ first: at, last: Math.min(at + lot - 1, ports.last) })
            }
            await pause(lotMs)
          }
        }
        const attacking = attack()
        const shut = (): void => {
          assert.deepEqual(
            attackers.map((each) => each.received.length),
            [0, 0],
            'packets to the attackers',
          )
          assert.deepEqual(
            [speaker, moved, other].map((each) => each.framesOf(evilFrame)),
            [0, 0, 0],
            'frames of the attackers',
          )
        }
        try {
          const sprayed = async (): Promise<void> => {
            const goal = stranger.sent + 2 * claimed * spraysPerPort
            while (stranger.sent < goal) await pause(20)
          }
          await sprayed()
          caller.sdp = () => sdpOf(says, speaker.port)
          callee.sdp = () => sdpOf('127.0.0.3', other.port)
          const calling = caller.call('102')
          const invite = await callee.wire.next('INVITE', (message) => message.method === 'INVITE')
          callee.wire.answer(invite, '180 Ringing', [`Contact: ${callee.contact}`])
          await sprayed()
          callee.wire.answer(invite, '200 OK', [`Contact: ${callee.contact}`, 'Content-Type: application/sdp'], callee.sdp())
          await callee.wire.next('ACK', (message) => message.method === 'ACK')
          const call = await calling
          assert.equal(call.status, 200)
          const here = audioOf(call.message)
          await sprayed()
          speaker.aim(here)
          other.aim(audioOf(invite))
          await Promise.all([speaker.hears(calleeFrame, second), other.hears(callerFrame, second)])
          hasSpoken = true
          await Promise.all([speaker.hears(calleeFrame, second), other.hears(callerFrame, second)])

          assert.equal((await reinvite(caller, call.message, sdpOf(says, speaker.port, 'sendonly', 2))).status, 200)
          await facts.next('leg.held', () => true, begin)
          const before = speaker.received.length
          await sprayed()
          const heldFrames = other.framesOf(callerFrame)
          await sprayed()
          assert.ok(speaker.received.length - before < second, 'a phone that holds is sent nothing')
          assert.ok(other.framesOf(callerFrame) - heldFrames < second, 'a held phone hears the music')

          assert.equal((await reinvite(caller, call.message, sdpOf(says, speaker.port, 'sendrecv', 3))).status, 200)
          await Promise.all([speaker.hears(calleeFrame, second), other.hears(callerFrame, second)])

          // The caller's audio moves to another port of its own.
          hasSpoken = !isNat
          assert.equal((await reinvite(caller, call.message, sdpOf(says, moved.port, 'sendrecv', 4))).status, 200)
          await sprayed()
          speaker.aim({ address: '127.0.0.1', port: 9 })
          moved.aim(here)
          await Promise.all([moved.hears(calleeFrame, second), other.hears(callerFrame, second)])
          hasSpoken = true
          await Promise.all([moved.hears(calleeFrame, second), other.hears(callerFrame, second)])

          // What the right one sends does pass.
          const keys = facts.mark
          assert.deepEqual(
            facts.facts.slice(begin).filter((fact) => fact.kind === 'digit.pressed'),
            [],
          )
          assert.deepEqual([speaker.keys, moved.keys, other.keys], [0, 0, 0])
          moved.press(5)
          assert.equal((await facts.next('digit.pressed', () => true, keys)).digit, '5')

          assert.equal((await call.bye()).status, 200)
          await callee.wire.next('BYE', (message) => message.method === 'BYE').then((bye) => callee.wire.answer(bye, '200 OK'))
          await sprayed()
        } catch (fault) {
          // Who is not heard any more may have lost the place to an attacker: that says more.
          shut()
          throw fault
        } finally {
          isAttacking = false
          await attacking
        }
        shut()
        assert.deepEqual(
          [speaker, moved].map((each) => each.framesOf(callerFrame)),
          [0, 0],
          'nobody hears themselves',
        )
      }))
  }

  test('packets that fail their check, from the peer’s own address and from anywhere, are not heard and end no encrypted call', () =>
    siege.beside(async () => {
      const base = await claimPort()
      await using caller = await open('101', '127.0.0.2')
      await using callee = await open('102', '127.0.0.3')
      await using speaker = await Speaker.open('127.0.0.2', base, callerFrame)
      await using other = await Speaker.open('127.0.0.3', base, calleeFrame)
      await using stranger = await Attacker.open('127.0.0.66', base)
      const suite = 'AES_CM_128_HMAC_SHA1_80'
      const key = randomBytes(30).toString('base64')
      const sender = SrtpSender.open({ suite, key })
      assert.ok(sender !== null)
      caller.sdp = () => `${sdpOf('127.0.0.2', speaker.port).replace('RTP/AVP', 'RTP/SAVP')}a=crypto:1 ${suite} inline:${key}\r\n`
      callee.sdp = () => sdpOf('127.0.0.3', other.port)
      const calling = caller.call('102')
      await callee.answered()
      const call = await calling
      assert.equal(call.status, 200)
      assert.match(call.message.body, /RTP\/SAVP/)
      const here = audioOf(call.message)
      const spoil = async (): Promise<void> => {
        for (let n = 0; n < 200; n++) {
          const forged = rtpPacket({ sequence: n, ssrc: speaker.ssrc, payload: Buffer.alloc(160, evilFrame) })
          const packet = Buffer.concat([forged, randomBytes(10)])
          speaker.rtp.send(packet, here.port, here.address)
          speaker.rtcp.send(packet, here.port + 1, here.address)
          stranger.rtp.send(packet, here.port, here.address)
          if (n % 20 === 0) await pause(5)
        }
      }
      await spoil()
      let sequence = 1_000
      const saying = setInterval(() => {
        const plain = rtpPacket({ sequence: ++sequence, ssrc: speaker.ssrc, payload: Buffer.alloc(160, callerFrame) })
        const packet = sender.protect(plain, 0, plain.length)
        if (packet !== null) speaker.rtp.send(Buffer.from(packet), here.port, here.address)
      }, 20)
      try {
        await other.hears(callerFrame, second)
        await spoil()
        await other.hears(callerFrame, second)
      } finally {
        clearInterval(saying)
      }
      assert.equal(
        other.received.filter(({ packet }) => packet.includes(Buffer.alloc(100, evilFrame))).length,
        0,
        'frames of the attackers',
      )
      assert.equal(stranger.received.length, 0, 'packets to the attackers')
      assert.equal((await call.bye()).status, 200)
      await callee.wire.next('BYE', (message) => message.method === 'BYE').then((bye) => callee.wire.answer(bye, '200 OK'))
    }))
})

function sdpOf(address: string, port: number, direction = 'sendrecv', version = 1): string {
  const lines = ['v=0', `o=phone 1 ${version} IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', `m=audio ${port} RTP/AVP 8 101`]
  return [...lines, 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=ptime:20', `a=${direction}`, ''].join('\r\n')
}

/** Where an SDP wants audio to be sent. */
function audioOf(message: WireMessage): { address: string; port: number } {
  const address = /^c=IN IP4 (\S+)/m.exec(message.body)?.[1] ?? ''
  return { address, port: Number(/^m=audio (\d+)/m.exec(message.body)?.[1]) }
}

/** A new offer within the dialog of a call that the phone made; its final answer, acknowledged. */
async function reinvite(phone: WirePhone, answer: WireMessage, sdp: string): Promise<WireMessage> {
  const target = /<([^>]+)>/.exec(header(answer, 'contact'))?.[1] ?? ''
  const dialog = [`From: ${header(answer, 'from')}`, `To: ${header(answer, 'to')}`, `Call-ID: ${header(answer, 'call-id')}`]
  const seq = phone.sendRequest('INVITE', target, [...dialog, `Contact: ${phone.contact}`, 'Content-Type: application/sdp'], sdp)
  const found = await phone.wire.next(
    'answer to re-INVITE',
    (message) => message.status >= 200 && header(message, 'cseq') === `${seq} INVITE`,
  )
  phone.sendRequest('ACK', target, dialog)
  return found
}
