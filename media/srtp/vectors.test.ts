import assert from 'node:assert/strict'
import { createCipheriv, createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { CounterCipher } from '#media/srtp/counter-cipher.ts'
import { GcmCipher } from '#media/srtp/gcm-cipher.ts'
import { deriveKey, LABEL, type SessionKeys } from '#media/srtp/key-derivation.ts'
import { SrtpReceiver } from '#media/srtp/receiver.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import { type SrtpSuite, SUITES } from '#media/srtp/suites.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

function keys(cipher: Buffer, salt: Buffer): { rtp: SessionKeys; rtcp: SessionKeys } {
  const one = { cipher: createSecretKey(cipher), auth: createSecretKey(Buffer.alloc(20)), salt }
  return { rtp: one, rtcp: one }
}

/** Encrypts zeros: what comes out is the key stream. The SSRC and index that make the IV of the vector out of its salt are all 0. */
function keyStream(key: Buffer, iv: Buffer, bytes: number): string {
  const packet = Buffer.alloc(12 + bytes + 20)
  const cipher = new CounterCipher(keys(key, iv.subarray(0, 14)), SUITES.AES_CM_128_HMAC_SHA1_80)
  cipher.sealRtp(packet, 12, 12 + bytes, { ssrc: 0, high: 0, low: 0 })
  return packet.subarray(12, 12 + bytes).toString('hex')
}

test('the key stream of AES-128 in counter mode is that of RFC 3711 B.2', () => {
  const stream = keyStream(hex('2b7e151628aed2a6abf7158809cf4f3c'), hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000'), 48)
  assert.equal(stream, 'e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0')
})

test('session keys of 128 bits are those of RFC 3711 B.3', () => {
  const master = { key: hex('e1f97a0d3e018be0d64fa32c06de4139'), salt: hex('0ec675ad498afeebb6960b3aabe6') }
  assert.equal(deriveKey(master, LABEL.rtpCipher, 16).toString('hex'), 'c61e7a93744f39ee10734afe3ff7a087')
  assert.equal(deriveKey(master, LABEL.rtpSalt, 14).toString('hex'), '30cbbc08863d8c85d49db34a9ae1')
  assert.equal(deriveKey(master, LABEL.rtpAuth, 20).toString('hex'), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4')
})

test('session keys of 256 bits are those of RFC 6188 7.2', () => {
  const master = {
    key: hex('f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6'),
    salt: hex('3b04803de51ee7c96423ab5b78d2'),
  }
  const cipher = '5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4'
  assert.equal(deriveKey(master, LABEL.rtpCipher, 32).toString('hex'), cipher)
  assert.equal(deriveKey(master, LABEL.rtpSalt, 14).toString('hex'), 'fa31791685ca444a9e07c6c64e93')
  assert.equal(deriveKey(master, LABEL.rtpAuth, 20).toString('hex'), 'fd9c32d39ed5fbb5a9dc96b30818454d1313dc05')
})

test('the key stream of AES-256 in counter mode is what the mode itself gives', () => {
  const key = hex('57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98')
  const iv = hex('f0f1f2f3f4f5f6f7f8f9fafbfcfd0000')
  assert.equal(keyStream(key, iv, 64), createCipheriv('aes-256-ctr', key, iv).update(Buffer.alloc(64)).toString('hex'))
})

const GALLIA = hex('8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573')
/** RFC 7714 16.1.1, 16.2.1: the salt that makes the IV 51753c6580c2726f20718414. */
const GCM_SALT = hex('517569642070726f2071756f')
const GCM_PLACE = { ssrc: 0x5501_a0b2, high: 0, low: 0xf17b }

for (const [name, key, expected] of [
  [
    '16.1.1 (128 bits)',
    '000102030405060708090a0b0c0d0e0f',
    'f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce',
  ],
  [
    '16.2.1 (256 bits)',
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    '32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13',
  ],
] as const) {
  test(`an RTP packet under AES-GCM is that of RFC 7714 ${name}, and opens again`, () => {
    const cipher = new GcmCipher(keys(hex(key), GCM_SALT))
    const packet = Buffer.concat([GALLIA, Buffer.alloc(20)])
    const end = cipher.sealRtp(packet, 12, GALLIA.length, GCM_PLACE)
    assert.equal(packet.subarray(12, end).toString('hex'), expected)
    assert.equal(cipher.openRtp(packet, 12, end, GCM_PLACE), GALLIA.length)
    assert.deepEqual(packet.subarray(0, GALLIA.length), GALLIA)
  })
}

const REPORT = hex('81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef')

test('an RTCP packet under AES-GCM is that of RFC 7714 17.1, and opens again', () => {
  const cipher = new GcmCipher(keys(hex('000102030405060708090a0b0c0d0e0f'), GCM_SALT))
  const place = { ssrc: 0x4d61_7273, high: 0, low: 0x05d4 }
  const packet = Buffer.concat([REPORT, Buffer.alloc(20)])
  const end = cipher.sealRtcp(packet, REPORT.length, place)
  assert.equal(
    packet.subarray(8, end).toString('hex'),
    '63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4',
  )
  assert.equal(cipher.openRtcp(packet, end, place), REPORT.length)
  assert.deepEqual(packet.subarray(0, REPORT.length), REPORT)
})

/** Whole packets under a master key, as another implementation of the suites makes them. */
const PLAIN = hex('80601234 89abcdef cafebabe 505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f')
const MASTER_128 = '101112131415161718191a1b1c1d1e1f'
const MASTER_256 = `${MASTER_128}202122232425262728292a2b2c2d2e2f`
const SALT = '303132333435363738393a3b3c3d'

const whole: readonly (readonly [SrtpSuite, string, string])[] = [
  ['AES_CM_128_HMAC_SHA1_80', MASTER_128, '39cc0907a712894a7e09fe5c76807ccc323d7676562eb367c445f6d721be1a3adb8ca8cc6f785733c57c'],
  ['AES_CM_128_HMAC_SHA1_32', MASTER_128, '39cc0907a712894a7e09fe5c76807ccc323d7676562eb367c445f6d721be1a3adb8ca8cc'],
  ['AEAD_AES_128_GCM', MASTER_128, '6496535e0d163f427e914c83d16653c400b9abcdad582184cb0569dc5d57ca4a9646c195dd24b8b3e64f4028975d3c55'],
  ['AEAD_AES_256_GCM', MASTER_256, 'd585226ada5f838707f2ccc365d7cd55b543d4f34f2f07c743673e97eb63f59b19789ca8b2447fc1c653bbbe6a41704a'],
]

for (const [suite, master, expected] of whole) {
  test(`a packet under ${suite} is byte for byte that of another implementation, and opens`, () => {
    const key = { suite, key: hex(master + SALT.slice(0, SUITES[suite].saltBytes * 2)).toString('base64') }
    const sealed = SrtpSender.open(key)?.protect(PLAIN, 0, PLAIN.length)
    assert.ok(sealed)
    assert.equal(sealed.subarray(12).toString('hex'), expected)
    const packet = Buffer.concat([PLAIN.subarray(0, 12), hex(expected)])
    assert.equal(SrtpReceiver.open(key)?.unprotect(packet), PLAIN.length)
    assert.deepEqual(packet.subarray(0, PLAIN.length), PLAIN)
  })
}
