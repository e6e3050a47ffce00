import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalMedia, Peer } from '#media/sdp/local-media.ts'
import { acceptAnswer, answerOffer, makeOffer } from '#media/sdp/offer-answer.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

const LOCAL: LocalMedia = {
  address: '203.0.113.1',
  port: 20_000,
  codecs: ['opus', 'G722', 'PCMA', 'PCMU'],
  direction: 'sendrecv',
  ptimeMs: 20,
  sessionId: '77',
}
const PEER: Peer = { signallingAddress: '198.51.100.7', localNetworks: [], silenceMs: 60_000 }

function sdp(...media: string[]): Sdp {
  const parsed = parseSdp(['v=0', 'o=- 5 9 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...media, ''].join('\r\n'))
  assert.ok(parsed.kind === 'sdp')
  return parsed
}

function agree(offer: Sdp, local: Partial<LocalMedia> = {}) {
  const answer = answerOffer({ offer, local: { ...LOCAL, ...local }, peer: PEER })
  assert.ok(answer.kind === 'agreed', JSON.stringify(answer))
  return { stream: answer.stream, text: writeSdp(answer.sdp) }
}

const BROWSER = [
  'm=audio 4000 RTP/AVP 111 9 0 8 13 110 126',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1; maxaveragebitrate=20000',
  'a=rtpmap:13 CN/8000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
]

test('an offer names each codec with the clock of its RTP, and telephone-events for each clock', () => {
  const text = writeSdp(makeOffer(LOCAL))
  assert.match(text, /m=audio 20000 RTP\/AVP 107 9 8 0 101 102\r\n/)
  assert.match(text, /a=rtpmap:107 opus\/48000\/2\r\na=fmtp:107 useinbandfec=1;stereo=0;sprop-stereo=0;maxplaybackrate=16000\r\n/)
  assert.match(text, /a=rtpmap:9 G722\/8000\r\n/)
  assert.match(text, /a=rtpmap:101 telephone-event\/8000\r\n/)
  assert.match(text, /a=rtpmap:102 telephone-event\/48000\r\n/)
})

test('opus is agreed on under the payload type of the offer, with what its fmtp asks and events on its clock', () => {
  const { stream, text } = agree(sdp(...BROWSER))
  assert.deepEqual(
    [stream.codec, stream.payloadType, stream.dtmfPayloadType, stream.dtmfClockHz, stream.opus, stream.noisePayloadType],
    ['opus', 111, 110, 48_000, { fec: true, maxBitrate: 20_000 }, 13],
  )
  assert.match(text, /m=audio 20000 RTP\/AVP 111 13 110\r\n/)
  assert.match(text, /a=fmtp:111 useinbandfec=1;stereo=0/)
})

test('another codec of the same offer has the events of 8 kHz', () => {
  const { stream } = agree(sdp(...BROWSER), { codecs: ['G722'] })
  assert.deepEqual([stream.codec, stream.payloadType, stream.dtmfPayloadType, stream.dtmfClockHz], ['G722', 9, 126, undefined])
})

test('opus with the events of 8 kHz alone takes those', () => {
  const { stream } = agree(sdp('m=audio 4000 RTP/AVP 96 101', 'a=rtpmap:96 opus/48000/2', 'a=rtpmap:101 telephone-event/8000'))
  assert.deepEqual([stream.codec, stream.dtmfPayloadType, stream.dtmfClockHz, stream.opus], ['opus', 101, undefined, { fec: false }])
})

test('what has the name of a codec and not its clock or channels is none', () => {
  for (const map of ['opus/8000', 'opus/48000', 'G722/16000', 'PCMA/16000', 'PCMU/8000/2']) {
    const answer = answerOffer({ offer: sdp('m=audio 4000 RTP/AVP 96', `a=rtpmap:96 ${map}`), local: LOCAL, peer: PEER })
    assert.equal(answer.kind, 'refused', map)
  }
})

test('the answer to our offer settles a codec that was offered, under the answer’s payload type', () => {
  const offer = makeOffer(LOCAL)
  const agreed = acceptAnswer({
    offer,
    answer: sdp('m=audio 4000 RTP/AVP 9 101', 'a=rtpmap:101 telephone-event/8000'),
    local: LOCAL,
    peer: PEER,
  })
  assert.ok(agreed.kind === 'agreed')
  assert.deepEqual([agreed.stream.codec, agreed.stream.payloadType, agreed.stream.dtmfPayloadType], ['G722', 9, 101])
})
