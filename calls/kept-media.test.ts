import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgreedMedia, KeptMedia } from '#calls/kept.ts'
import { fromKeptMedia, toKeptMedia } from '#calls/kept-media.ts'
import type { StreamParams } from '#media/engine.ts'
import type { LocalMedia } from '#media/sdp/local-media.ts'
import { answerOffer, makeOffer } from '#media/sdp/offer-answer.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import type { Sdp } from '#media/sdp/sdp.ts'

const stream: StreamParams = {
  ...{ remote: null, rtcp: null, accept: { mode: 'exact' }, codec: 'PCMA', payloadType: 8, dtmfPayloadType: 101 },
  ...{ direction: 'sendrecv', ptimeMs: 20, silenceMs: 0 },
}
const local: LocalMedia = {
  ...{ address: '192.0.2.1', port: 4000, codecs: ['PCMA', 'G722', 'opus'], direction: 'sendrecv', ptimeMs: 20 },
  sessionId: '7',
}

function agreed(own: Sdp): AgreedMedia {
  const endpoint = { id: 'e1', engine: 0, local: { address: '192.0.2.1', port: 4000 }, stream }
  return { endpoint, stream, own, peer: '192.0.2.2', codecs: local.codecs }
}

/** As the journal gives it back. */
function reread(kept: KeptMedia): KeptMedia {
  return JSON.parse(JSON.stringify(kept)) as KeptMedia
}

/** An answer that refuses a second stream in its place. */
function answerWithVideo(): Sdp {
  const ours = makeOffer(local)
  const video = { type: 'video', port: 5000, protocol: 'RTP/AVP', formats: ['96', '97'], connection: null, attributes: [] }
  const peer = { signallingAddress: '192.0.2.2', localNetworks: [], silenceMs: 0 }
  const result = answerOffer({ offer: { ...ours, media: [...ours.media, video] }, local, peer })
  assert.ok(result.kind === 'agreed')
  return result.sdp
}

for (const [what, own] of [
  ['an offer', makeOffer(local)],
  ['an offer over IPv6 of somebody on hold', makeOffer({ ...local, address: '2001:db8::1', direction: 'sendonly' })],
  ['a further offer', makeOffer({ ...local, direction: 'inactive' }, makeOffer(local))],
  ['an answer with a refused stream', answerWithVideo()],
] as const) {
  test(`media with ${what} is read back as it was written, in fewer bytes`, () => {
    const media = agreed(own)
    const kept = toKeptMedia(media)
    assert.deepEqual(fromKeptMedia(reread(kept)), media)
    assert.equal('stream' in kept, false, 'the endpoint has it')
    const sdp = JSON.stringify(kept.own).length
    assert.ok(sdp < JSON.stringify(own).length * 0.6, `${sdp} bytes`)
  })
}

test('a stream that is not the endpoint’s is written beside it', () => {
  const media: AgreedMedia = { ...agreed(makeOffer(local)), stream: { ...stream, direction: 'recvonly' } }
  assert.deepEqual(fromKeptMedia(reread(toKeptMedia(media))), media)
  const { stream: _, ...endpoint } = media.endpoint
  const sealed = { ...media, endpoint }
  assert.deepEqual(fromKeptMedia(reread(toKeptMedia(sealed))), sealed)
})

test('what earlier versions wrote, the description taken apart and the stream said twice, is taken over', () => {
  const media = agreed(makeOffer(local))
  assert.deepEqual(fromKeptMedia(reread(media)), media)
})

test('what cannot be read is refused', () => {
  const { stream: _, ...endpoint } = agreed(makeOffer(local)).endpoint
  const kept = toKeptMedia(agreed(makeOffer(local)))
  assert.equal(fromKeptMedia({ ...kept, endpoint }), null)
  assert.equal(fromKeptMedia({ ...kept, own: 'v=1' }), null)
  assert.equal(parseSdp('v=1').kind, 'malformed')
})
