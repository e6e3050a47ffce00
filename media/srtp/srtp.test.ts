import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeRtpHeader } from '#media/rtp/header.ts'
import { SrtpReceiver } from '#media/srtp/receiver.ts'
import { REPLAY_WINDOW, ReplayWindow } from '#media/srtp/replay-window.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import { type SrtpKey, type SrtpSuite, SUITES } from '#media/srtp/suites.ts'

const suites = Object.keys(SUITES) as SrtpSuite[]

function keyOf(suite: SrtpSuite, seed = 1): SrtpKey {
  const { keyBytes, saltBytes } = SUITES[suite]
  return { suite, key: Buffer.from(Array.from({ length: keyBytes + saltBytes }, (_, i) => (i * 7 + seed) & 0xff)).toString('base64') }
}

function sender(key: SrtpKey): SrtpSender {
  const opened = SrtpSender.open(key)
  assert.ok(opened)
  return opened
}

function receiver(key: SrtpKey, kept: { ssrc: number; roc: number } | null = null): SrtpReceiver {
  const opened = SrtpReceiver.open(key, kept === null ? [] : [kept])
  assert.ok(opened)
  return opened
}

function rtp(sequence: number, ssrc = 77, bytes = 160): Buffer {
  const packet = Buffer.alloc(12 + bytes, sequence & 0xff)
  writeRtpHeader(packet, 0, ssrc, { payloadType: 8, marker: false, sequence: sequence & 0xffff, timestamp: sequence * 160 })
  return packet
}

/** A receiver report of one source: no report blocks. */
function rtcp(ssrc: number): Buffer {
  const packet = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0, 0x81, 202, 0, 2, 0, 0, 0, 0, 1, 1, 0x61, 0])
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt32BE(ssrc, 12)
  return packet
}

function sealed(from: SrtpSender, packet: Buffer): Buffer {
  const out = from.protect(packet, 0, packet.length)
  assert.ok(out)
  return Buffer.from(out)
}

for (const suite of suites) {
  test(`under ${suite} what is protected opens again, over the wrap of the sequence number and with gaps`, () => {
    const [out, into] = [sender(keyOf(suite)), receiver(keyOf(suite))]
    for (const sequence of [65_530, 65_534, 65_535, 65_536, 65_540, 65_533, 65_541]) {
      const plain = rtp(sequence)
      const packet = sealed(out, plain)
      assert.equal(packet.length, plain.length + SUITES[suite].tagBytes)
      assert.notDeepEqual(packet.subarray(12, 172), plain.subarray(12))
      assert.equal(into.unprotect(packet), plain.length, `packet ${sequence}`)
      assert.deepEqual(packet.subarray(0, plain.length), plain)
    }
    assert.deepEqual(into.rollovers, [{ ssrc: 77, roc: 1 }])
    assert.deepEqual(into.takeRollover(), { ssrc: 77, roc: 1 })
    assert.equal(into.takeRollover(), null)
  })

  test(`under ${suite} reports open again once, and a changed one not at all`, () => {
    const [out, into] = [sender(keyOf(suite)), receiver(keyOf(suite))]
    for (let n = 0; n < 3; n++) {
      const packet = Buffer.from(out.protectRtcp(rtcp(9)) as Buffer)
      const again = Buffer.from(packet)
      const changed = Buffer.from(packet)
      changed[9] = (changed[9] as number) ^ 1
      assert.equal(into.unprotectRtcp(changed), -1)
      assert.equal(into.unprotectRtcp(packet), 20)
      assert.deepEqual(packet.subarray(0, 20), rtcp(9))
      assert.equal(into.unprotectRtcp(again), -1)
      assert.equal(into.fault, 'replayed')
    }
    assert.deepEqual([into.badTags, into.replays], [3, 3])
  })

  test(`under ${suite} any change of any octet is refused, counted, and leaves the stream as it was`, () => {
    const [out, into] = [sender(keyOf(suite)), receiver(keyOf(suite))]
    assert.equal(into.unprotect(sealed(out, rtp(10))), 172)
    const good = sealed(out, rtp(11))
    let refused = 0
    // Octet 0 also says how long the header is; the version is checked before the tag.
    for (let at = 1; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] as number) ^ 0x10
      assert.equal(into.unprotect(bad), -1, `octet ${at}`)
      refused++
    }
    assert.equal(into.badTags + into.replays, refused)
    assert.equal(into.unprotect(good), 172)
  })
}

test('a packet comes once, within the window in any order, and not from before it', () => {
  const key = keyOf('AES_CM_128_HMAC_SHA1_80')
  const [out, into] = [sender(key), receiver(key)]
  const packets = Array.from({ length: 400 }, (_, n) => sealed(out, rtp(n)))
  const open = (n: number): number => into.unprotect(Buffer.from(packets[n] as Buffer))
  assert.equal(open(0), 172)
  assert.equal(open(300), 172)
  assert.equal(open(300), -1)
  assert.equal(open(300 - REPLAY_WINDOW + 1), 172)
  assert.equal(open(300 - REPLAY_WINDOW), -1)
  assert.equal(open(0), -1)
  assert.equal(open(299), 172)
  assert.equal(open(299), -1)
  assert.equal(into.replays, 4)
  assert.ok(REPLAY_WINDOW >= 64)
})

test('the window knows what a set of all indices would know', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -300, max: 300 }), { maxLength: 300 }), (steps) => {
      const window = new ReplayWindow()
      const had = new Set<number>()
      let at = 70_000
      let highest = -1
      for (const step of steps) {
        at = Math.max(0, at + step)
        const expected = !had.has(at) && (highest < 0 || highest - at < REPLAY_WINDOW)
        assert.equal(window.isNew(at), expected, `index ${at}, highest ${highest}`)
        if (!expected) continue
        window.note(at)
        had.add(at)
        highest = Math.max(highest, at)
      }
    }),
  )
})

test('the same number is never sent twice: counter mode would give both packets away', () => {
  const out = sender(keyOf('AES_CM_128_HMAC_SHA1_80'))
  assert.ok(out.protect(rtp(5), 0, 172))
  assert.equal(out.protect(rtp(5), 0, 172), null)
  assert.ok(out.protect(rtp(4), 0, 172))
  assert.equal(out.unsendable, 1)
})

test('a peer that changes its SSRC under the same key is heard, and its old packets are still replays', () => {
  const key = keyOf('AES_CM_128_HMAC_SHA1_80')
  const [first, second, into] = [sender(key), sender(key), receiver(key)]
  const old = sealed(first, rtp(60_000, 1))
  assert.equal(into.unprotect(Buffer.from(old)), 172)
  assert.equal(into.unprotect(sealed(second, rtp(3, 2))), 172)
  assert.equal(into.unprotect(sealed(second, rtp(4, 2))), 172)
  assert.equal(into.unprotect(old), -1)
  assert.equal(into.fault, 'replayed')
})

test('a stream met in the middle is found by its kept rollover counter, and without one by looking', () => {
  const key = keyOf('AES_CM_128_HMAC_SHA1_80')
  const out = sender(key)
  for (const sequence of [0, 30_000, 60_000, 90_000, 120_000, 150_000]) out.protect(rtp(sequence), 0, 172)
  const later = sealed(out, rtp(3 * 65_536 - 20_000))
  const next = sealed(out, rtp(3 * 65_536 - 19_999))
  assert.equal(receiver(key).unprotect(Buffer.from(later)), -1, 'a fresh stream begins at 0')
  for (const kept of [
    { ssrc: 77, roc: 2 },
    { ssrc: 77, roc: 1 },
    { ssrc: 5, roc: 0 },
  ]) {
    const into = receiver(key, kept)
    assert.equal(into.unprotect(Buffer.from(later)), 172)
    assert.equal(into.unprotect(Buffer.from(next)), 172)
    assert.deepEqual(into.rollovers, [{ ssrc: 77, roc: 2 }])
  }
})

test('a stream whose first packets were missed, wrap and all, is heard, and what then comes late of before it', () => {
  for (const suite of suites) {
    const [out, into] = [sender(keyOf(suite)), receiver(keyOf(suite))]
    const late = [65_534, 65_535].map((sequence) => sealed(out, rtp(sequence)))
    assert.equal(into.unprotect(sealed(out, rtp(65_536))), 172, suite)
    assert.deepEqual(into.takeRollover(), { ssrc: 77, roc: 1 })
    for (const packet of late) assert.equal(into.unprotect(packet), 172, suite)
    assert.equal(into.unprotect(sealed(out, rtp(65_537))), 172, suite)
  }
})

test('CSRCs and an extension stay in clear and are authenticated', () => {
  for (const suite of suites) {
    const [out, into] = [sender(keyOf(suite)), receiver(keyOf(suite))]
    const plain = Buffer.alloc(12 + 8 + 4 + 8 + 40, 3)
    writeRtpHeader(plain, 0, 77, { payloadType: 0, marker: true, sequence: 1, timestamp: 0 })
    plain[0] = 0x80 | 0x10 | 2
    plain.writeUInt16BE(2, 22)
    const packet = sealed(out, plain)
    assert.deepEqual(packet.subarray(0, 32), plain.subarray(0, 32))
    assert.notDeepEqual(packet.subarray(32, 72), plain.subarray(32))
    assert.equal(into.unprotect(packet), plain.length)
    assert.deepEqual(packet.subarray(0, plain.length), plain)
  }
})

test('a master key identifier of the peer is read over, in front of an HMAC tag and behind an AEAD one', () => {
  for (const suite of suites) {
    const into = receiver({ ...keyOf(suite), mkiBytes: 4 })
    const plain = sealed(sender(keyOf(suite)), rtp(1))
    const { mode, tagBytes } = SUITES[suite]
    const at = mode === 'gcm' ? plain.length : plain.length - tagBytes
    const packet = Buffer.concat([plain.subarray(0, at), Buffer.from([0, 0, 0, 1]), plain.subarray(at)])
    assert.equal(into.unprotect(packet), 172, suite)
    assert.deepEqual(packet.subarray(0, 172), rtp(1))
  }
})

test('a key that is not as long as its suite wants opens nothing', () => {
  assert.equal(SrtpSender.open({ suite: 'AEAD_AES_256_GCM', key: keyOf('AEAD_AES_128_GCM').key }), null)
  assert.equal(SrtpReceiver.open({ suite: 'AES_CM_128_HMAC_SHA1_80', key: '' }), null)
})

test('any bytes are opened or refused by name, and change nothing of a stream that runs', () => {
  for (const suite of suites) {
    const [out, into] = [sender(keyOf(suite)), receiver({ ...keyOf(suite), mkiBytes: 1 })]
    const plainInto = receiver(keyOf(suite))
    assert.equal(plainInto.unprotect(sealed(out, rtp(1))), 172)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const each of [into, plainInto]) {
          assert.equal(each.unprotect(Buffer.from(bytes)), -1)
          assert.equal(each.unprotectRtcp(Buffer.from(bytes)), -1)
        }
      }),
      { numRuns: 300 },
    )
    assert.equal(plainInto.unprotect(sealed(out, rtp(2))), 172)
  }
})
