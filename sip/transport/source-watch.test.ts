import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { type Ban, type Offence, type Source, SourceWatch } from '#sip/transport/source-watch.ts'

const stranger = { address: '192.0.2.66', port: 5060 }
const phone = { address: '198.51.100.5', port: 40_001 }
const neighbour = { address: '198.51.100.5', port: 40_002 }
const trunk = { address: '203.0.113.9', port: 5060 }
const register = Buffer.from('REGISTER sip:a.example SIP/2.0\r\nTo: <sip:1@a.example>\r\n\r\n')
const bye = Buffer.from('BYE sip:1@192.0.2.1 SIP/2.0\r\nTo: <sip:1@a.example>;tag=a\r\n\r\n')
const answered = Buffer.from('REGISTER sip:a.example SIP/2.0\r\nTo: <sip:1@a.example>\r\nAuthorization: Digest x\r\n\r\n')

function open(capacity?: number) {
  const clock = new VirtualClock(0)
  const bans: Ban[] = []
  const watch = new SourceWatch({
    clock,
    vouches: ({ address }) => address === trunk.address,
    onBan: (ban) => void bans.push(ban),
    ...(capacity !== undefined && { capacity }),
  })
  const offends = (from: Source, what: Offence, times: number): void => {
    for (let i = 0; i < times; i++) watch.offends(from, what)
  }
  return { clock, bans, watch, offends }
}

describe('who is listened to', () => {
  test('a stranger who floods is banned, each time for longer, and heard again after', () => {
    const { clock, bans, watch, offends } = open()
    offends(stranger, 'unproved', 400)
    assert.ok(watch.hears(stranger, register))
    offends(stranger, 'unproved', 1)
    assert.ok(!watch.hears(stranger, bye))
    assert.ok(!watch.admits(stranger.address))
    assert.equal(bans[0]?.reason, 'requests without credentials, one after the other')
    clock.advance(60_000)
    assert.ok(watch.hears(stranger, register))
    offends(stranger, 'garbage', 201)
    assert.equal((bans[1]?.until ?? 0) - (bans[1]?.since ?? 0), 300_000)
  })

  test('after a week in which nothing came of it a ban is a first one again', () => {
    const { clock, bans, watch, offends } = open()
    for (const [pauseMs, forMs] of [
      [60_000, 60_000],
      [8 * 24 * 3_600_000, 300_000],
      [0, 60_000],
    ] as const) {
      offends(stranger, 'unproved', 401)
      const ban = bans.at(-1)
      assert.equal((ban?.until ?? 0) - (ban?.since ?? 0), forMs)
      clock.advance(pauseMs)
      watch.admits(stranger.address)
    }
  })

  test('ten wrong passwords from a stranger are enough, half of a minute apart they never are', () => {
    const { clock, bans, offends } = open()
    for (let i = 0; i < 50; i++) {
      offends(stranger, 'guess', 1)
      clock.advance(30_000)
    }
    assert.equal(bans.length, 0)
    offends(stranger, 'guess', 11)
    assert.equal(bans.length, 1)
  })

  test('phones that register never come near a limit, however many share an address', () => {
    const { bans, watch, offends } = open()
    for (let i = 0; i < 10_000; i++) {
      offends(phone, 'unproved', 1)
      watch.proves({ ...phone, port: 1024 + i })
    }
    assert.equal(bans.length, 0)
    assert.ok(watch.hears(phone, register))
  })

  test('an office is never locked out: only the port that offends is set aside', () => {
    const { bans, watch, offends } = open()
    watch.proves(phone)
    offends(neighbour, 'garbage', 2_000)
    assert.equal(bans.length, 0)
    let heard = 0
    for (let i = 0; i < 1_000; i++) if (watch.hears(neighbour, register)) heard++
    assert.equal(heard, 0)
    assert.ok(watch.hears(phone, bye), 'calls of the phone go on')
    assert.ok(watch.hears(phone, answered), 'and it can prove itself')
  })

  test('who forges the very port of a phone is slowed down, and what the phone proves or ends gets through', () => {
    const { clock, watch, offends } = open()
    watch.proves(phone)
    offends(phone, 'unproved', 1_000)
    let heard = 0
    for (let i = 0; i < 1_000; i++) if (watch.hears(phone, register)) heard++
    assert.equal(heard, 50)
    assert.ok(watch.hears(phone, bye))
    assert.ok(watch.hears(phone, answered))
    clock.advance(30_000)
    assert.ok(watch.hears(phone, register))
  })

  test('forged ports of an office get a trickle; its phones are heard', () => {
    const { watch, offends } = open()
    watch.proves(phone)
    for (let port = 1; port < 3_000; port++) offends({ ...phone, port }, 'unproved', 1)
    let heard = 0
    for (let port = 1; port < 1_000; port++) if (watch.hears({ ...phone, port }, register)) heard++
    assert.equal(heard, 50)
    assert.ok(watch.hears(phone, bye))
  })

  test('a trunk is never banned', () => {
    const { bans, watch, offends } = open()
    offends(trunk, 'garbage', 10_000)
    assert.equal(bans.length, 0)
    assert.equal(watch.ban(trunk.address, 'any'), null)
    assert.ok(watch.hears(trunk, bye))
  })

  test('a flood from forged addresses leaves strangers a trickle and known sources alone, and ends by itself', () => {
    const { clock, watch, bans } = open()
    watch.proves(phone)
    for (let i = 0; i < 10_000; i++) watch.offends({ address: `10.${i >> 8}.${i & 255}.1`, port: 5060 }, 'unproved')
    assert.equal(bans.length, 0)
    let heard = 0
    for (let i = 0; i < 1_000; i++) if (watch.hears({ address: `10.200.1.${i & 255}`, port: 5060 }, register)) heard++
    assert.equal(heard, 50)
    assert.ok(watch.hears(phone, register))
    clock.advance(1_000)
    assert.ok(watch.hears(stranger, register))
  })

  test('a ban is released at once and leaves nothing behind', () => {
    const { watch, offends } = open()
    offends(stranger, 'garbage', 300)
    assert.equal(watch.hears(stranger, register), false)
    assert.equal(watch.bans()[0]?.dropped, 1)
    assert.ok(watch.release(stranger.address))
    assert.ok(watch.hears(stranger, register))
    assert.equal(watch.release(stranger.address), false)
  })

  test('memory is bounded', () => {
    const { watch, offends } = open(100)
    for (let i = 0; i < 1_000; i++) offends({ address: `10.0.${i >> 8}.${i & 255}`, port: 1 }, 'guess', 11)
    assert.ok(watch.bans().length <= 100)
  })
})
