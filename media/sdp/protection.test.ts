import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cryptoLines, type LocalCrypto, TAKEN_SUITES } from '#media/sdp/crypto.ts'
import type { LocalMedia, Peer } from '#media/sdp/local-media.ts'
import { acceptAnswer, answerOffer, makeOffer } from '#media/sdp/offer-answer.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

let keys = 0
const CRYPTO: LocalCrypto = {
  plain: true,
  secure: true,
  offers: false,
  suites: TAKEN_SUITES,
  randomKey: (bytes) => Buffer.alloc(bytes, ++keys).toString('base64'),
}
const LOCAL: LocalMedia = {
  address: '203.0.113.1',
  port: 20_000,
  codecs: ['PCMA'],
  direction: 'sendrecv',
  ptimeMs: 20,
  sessionId: '77',
  crypto: CRYPTO,
}
const PEER: Peer = { signallingAddress: '198.51.100.7', localNetworks: [], silenceMs: 0 }
const KEY = Buffer.alloc(30, 200).toString('base64')
const LONG_KEY = Buffer.alloc(46, 201).toString('base64')

function sdp(...media: string[]): Sdp {
  const parsed = parseSdp(['v=0', 'o=- 5 9 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...media, ''].join('\r\n'))
  assert.ok(parsed.kind === 'sdp')
  return parsed
}

function answer(offer: Sdp, crypto: Partial<LocalCrypto> | null = {}, previous?: Sdp) {
  const local = crypto === null ? { ...LOCAL, crypto: undefined } : { ...LOCAL, crypto: { ...CRYPTO, ...crypto } }
  return answerOffer({ offer, local, peer: PEER, previous })
}

function agreed(result: ReturnType<typeof answer>) {
  assert.ok(result.kind === 'agreed', JSON.stringify(result))
  return { ...result, text: writeSdp(result.sdp) }
}

function refused(result: ReturnType<typeof answer>): string {
  assert.ok(result.kind === 'refused')
  return result.why
}

const SAVP = 'm=audio 4000 RTP/SAVP 8'

test('an offer of SRTP is answered under its profile, with the first line that we can serve and its tag', () => {
  const { stream, text } = agreed(
    answer(
      sdp(
        SAVP,
        'a=crypto:1 F8_128_HMAC_SHA1_80 inline:' + KEY,
        'a=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:' + LONG_KEY + '|2^31|1:4',
        'a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:' + KEY,
      ),
    ),
  )
  assert.match(text, /m=audio 20000 RTP\/SAVP 8\r\n/)
  assert.match(text, /a=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:[A-Za-z0-9+/=]{64}\r\n/)
  assert.equal(text.match(/a=crypto/g)?.length, 1)
  assert.deepEqual(stream.crypto?.receive, { suite: 'AES_256_CM_HMAC_SHA1_80', key: LONG_KEY, mkiBytes: 4 })
  assert.equal(stream.crypto?.send.suite, 'AES_256_CM_HMAC_SHA1_80')
  assert.notEqual(stream.crypto?.send.key, LONG_KEY)
})

test('SRTP is refused where its keys would be seen, or encryption is off, and so is a stream without a line that can be served', () => {
  const offer = sdp(SAVP, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:' + KEY)
  assert.match(refused(answer(offer, null)), /RTP\/SAVP is not served here/)
  assert.match(refused(answer(offer, { secure: false })), /signalling that is not encrypted/)
  assert.match(refused(answer(sdp(SAVP))), /none of 0 a=crypto lines/)
  assert.match(refused(answer(sdp(SAVP, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA'))), /none of 1 a=crypto lines/)
})

test('where encryption is required a stream in clear is refused, and of two the protected one is taken', () => {
  const plain = 'm=audio 4002 RTP/AVP 8'
  assert.match(refused(answer(sdp(plain), { plain: false })), /encryption is required here/)
  const { stream, text } = agreed(answer(sdp(plain, SAVP, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:' + KEY), { plain: false }))
  assert.equal(stream.remote?.port, 4000)
  assert.match(text, /m=audio 0 RTP\/AVP 8\r\nm=audio 20000 RTP\/SAVP 8\r\n/)
  assert.equal(agreed(answer(sdp(plain))).stream.crypto, undefined)
})

test('optional encryption, lines under a plain profile, is taken where it may be, else read over', () => {
  const offer = sdp('m=audio 4000 RTP/AVP 8', 'a=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:' + KEY)
  const { stream, text } = agreed(answer(offer))
  assert.equal(stream.crypto?.receive.key, KEY)
  assert.match(text, /m=audio 20000 RTP\/AVP 8\r\n[^]*a=crypto:7 AES_CM_128_HMAC_SHA1_32 /)
  const open = agreed(answer(offer, { secure: false }))
  assert.equal(open.stream.crypto, undefined)
  assert.doesNotMatch(open.text, /crypto/)
})

test('our offer has a line for each suite with a key of its own, and the answer settles one', () => {
  const local = { ...LOCAL, crypto: { ...CRYPTO, offers: true } }
  const offer = makeOffer(local)
  const lines = cryptoLines(offer.media[0]?.attributes ?? []).usable
  assert.deepEqual(
    lines.map(({ tag, key }) => [tag, key.suite]),
    [
      [1, 'AES_CM_128_HMAC_SHA1_80'],
      [2, 'AEAD_AES_256_GCM'],
      [3, 'AEAD_AES_128_GCM'],
      [4, 'AES_256_CM_HMAC_SHA1_80'],
    ],
  )
  assert.equal(new Set(lines.map(({ key }) => key.key)).size, 4)
  const accept = (...media: string[]) => acceptAnswer({ offer, answer: sdp(...media), local, peer: PEER })
  const settled = accept(SAVP, 'a=crypto:4 AES_256_CM_HMAC_SHA1_80 inline:' + LONG_KEY)
  assert.ok(settled.kind === 'agreed')
  assert.deepEqual(settled.stream.crypto, { send: lines[3]?.key, receive: { suite: 'AES_256_CM_HMAC_SHA1_80', key: LONG_KEY } })
  for (const media of [
    [SAVP],
    [SAVP, 'a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:' + KEY],
    [SAVP, 'a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:' + KEY],
    [SAVP, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:' + KEY, 'a=crypto:4 AES_256_CM_HMAC_SHA1_80 inline:' + LONG_KEY],
    ['m=audio 4000 RTP/AVP 8'],
  ])
    assert.equal(accept(...media).kind, 'refused', media.join(' '))
})

test('a further offer and a further answer keep our key; a new key of the peer is taken', () => {
  const first = agreed(answer(sdp(SAVP, 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:' + KEY)))
  const hold = makeOffer({ ...LOCAL, direction: 'sendonly', crypto: { ...CRYPTO, offers: true } }, first.sdp)
  assert.deepEqual(
    cryptoLines(hold.media[0]?.attributes ?? []).usable.map(({ tag, key }) => [tag, key]),
    [[1, first.stream.crypto?.send]],
  )
  const other = Buffer.alloc(30, 99).toString('base64')
  const again = agreed(answer(sdp(SAVP, 'a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:' + other), {}, hold))
  assert.deepEqual(again.stream.crypto, { send: first.stream.crypto?.send, receive: { suite: 'AES_CM_128_HMAC_SHA1_80', key: other } })
  assert.match(again.text, /a=crypto:5 /)
})

test('session parameters that leave something in clear are not taken; hints are read over', () => {
  const usable = (params: string): number =>
    cryptoLines([{ name: 'crypto', value: `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}${params}` }]).usable.length
  assert.deepEqual(['', '|2^20', '|2^48|1:1', '|1048576', ' WSH=128', ' -FOO'].map(usable), [1, 1, 1, 1, 1, 1])
  assert.deepEqual(
    [' UNENCRYPTED_SRTP', ' UNAUTHENTICATED_SRTP', ' KDR=1', ' FEC_ORDER=SRTP_FEC', '|1:200', ';inline:AAAA'].map(usable),
    [0, 0, 0, 0, 0, 0],
  )
})

test('any text of a crypto line is read or left out', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: 'binary' }), (value) => {
      const { usable } = cryptoLines([{ name: 'crypto', value }])
      assert.ok(usable.length <= 1)
    }),
  )
})
