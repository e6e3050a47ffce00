import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalMedia, Peer } from '#media/sdp/local-media.ts'
import { acceptAnswer, answerOffer, makeOffer, refuseMalformed } from '#media/sdp/offer-answer.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

const LOCAL: LocalMedia = {
  address: '203.0.113.1',
  port: 20_000,
  codecs: ['PCMA', 'PCMU'],
  direction: 'sendrecv',
  ptimeMs: 20,
  sessionId: '77',
}
const PEER: Peer = { signallingAddress: '198.51.100.7', localNetworks: [], silenceMs: 60_000 }

function sdp(...media: string[]): Sdp {
  const parsed = parseSdp(['v=0', 'o=- 5 9 IN IP4 198.51.100.7', 's=-', 'c=IN IP4 198.51.100.7', 't=0 0', ...media, ''].join('\r\n'))
  assert.ok(parsed.kind === 'sdp', JSON.stringify(parsed))
  return parsed
}

function agree(offer: Sdp, local: Partial<LocalMedia> = {}, previous?: Sdp) {
  const answer = answerOffer({ offer, local: { ...LOCAL, ...local }, peer: PEER, previous })
  assert.ok(answer.kind === 'agreed', JSON.stringify(answer))
  return { ...answer, text: writeSdp(answer.sdp) }
}

function refusal(offer: Sdp, local: Partial<LocalMedia> = {}): string {
  const answer = answerOffer({ offer, local: { ...LOCAL, ...local }, peer: PEER })
  assert.ok(answer.kind === 'refused')
  return `${answer.status} ${answer.why}`
}

const PHONE = ['m=audio 4000 RTP/AVP 0 8 96', 'a=rtpmap:96 telephone-event/8000', 'a=fmtp:96 0-16', 'a=ptime:30']

test('an offer is one audio stream with our codecs in order, telephone-event and ptime', () => {
  assert.equal(
    writeSdp(makeOffer(LOCAL)),
    'v=0\r\no=- 77 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n',
  )
})

test('an offer over IPv6 says so', () => {
  assert.match(writeSdp(makeOffer({ ...LOCAL, address: '2001:db8::1' })), /c=IN IP6 2001:db8::1\r\n/)
})

test('an answer takes the first of our codecs that is offered, with the payload types and packet time of the offer', () => {
  const { stream, text } = agree(sdp(...PHONE))
  assert.deepEqual(stream, {
    remote: { address: '198.51.100.7', port: 4000 },
    rtcp: null,
    accept: { mode: 'exact' },
    codec: 'PCMA',
    payloadType: 8,
    dtmfPayloadType: 96,
    direction: 'sendrecv',
    ptimeMs: 30,
    silenceMs: 60_000,
  })
  assert.match(text, /m=audio 20000 RTP\/AVP 8 96\r\na=rtpmap:8 PCMA\/8000\r\na=rtpmap:96 telephone-event\/8000\r\na=fmtp:96 0-15\r\n/)
})

test('G.711 under a dynamic payload type is taken; under other rates or channels it is not', () => {
  const dynamic = agree(
    sdp('m=audio 4000 RTP/AVP 98 99 97', 'a=rtpmap:97 pcmu/8000/1', 'a=rtpmap:98 PCMU/16000', 'a=rtpmap:99 PCMA/8000/2'),
  )
  assert.deepEqual([dynamic.stream.codec, dynamic.stream.payloadType], ['PCMU', 97])
  assert.match(dynamic.text, /RTP\/AVP 97\r\na=rtpmap:97 PCMU\/8000/)
})

test('telephone-event at another rate is left out', () => {
  const { stream } = agree(sdp('m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/48000'))
  assert.equal(stream.dtmfPayloadType, null)
})

test('video and a second audio stream are refused in their places', () => {
  const { text } = agree(
    sdp('m=video 5000 RTP/AVP 96 97', 'm=audio 4000 RTP/AVP 8', 'm=audio 4002 RTP/AVP 0', 'm=application 9 UDP/BFCP *'),
  )
  assert.deepEqual(
    text.split('\r\n').filter((line) => line.startsWith('m=')),
    ['m=video 0 RTP/AVP 96', 'm=audio 20000 RTP/AVP 8', 'm=audio 0 RTP/AVP 0', 'm=application 0 UDP/BFCP *'],
  )
})

test('a T.38 stream is refused in its place beside audio, and an offer of it alone with 488', () => {
  const fax = 'm=image 4002 udptl t38'
  const { text } = agree(sdp('m=audio 4000 RTP/AVP 8', fax, 'a=T38FaxVersion:0'))
  assert.match(text, /m=audio 20000 RTP\/AVP 8[^]*m=image 0 udptl t38\r\n$/i)
  assert.match(refusal(sdp(fax)), /^488 the offer has no audio stream/)
})

test('an audio stream that we cannot serve gives way to the next that we can', () => {
  const { text } = agree(sdp('m=audio 4000 RTP/SAVP 8', 'm=audio 4002 RTP/AVP 8'))
  assert.match(text, /m=audio 0 RTP\/SAVP 8\r\nm=audio 20000 RTP\/AVP 8/)
})

test('what cannot be served is refused with 488 and the reason', () => {
  assert.match(refusal(sdp('m=video 4000 RTP/AVP 34')), /^488 the offer has no audio stream/)
  assert.match(refusal(sdp('m=audio 0 RTP/AVP 8')), /^488 the offer has no audio stream/)
  assert.match(refusal(sdp('m=audio 4000 RTP/AVP 18 9')), /^488 no common codec: here PCMA, PCMU, offered 18 9/)
  assert.match(refusal(sdp('m=audio 9 UDP/TLS/RTP/SAVPF 8')), /^488 UDP\/TLS\/RTP\/SAVPF is not served/)
  assert.match(refusal(sdp('m=audio 4000 RTP/AVP 0'), { codecs: ['PCMA'] }), /^488 no common codec/)
  const nowhere = parseSdp('v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8\r\n')
  assert.ok(nowhere.kind === 'sdp')
  assert.match(refusal(nowhere), /^488 the audio stream has no c= line/)
})

test('a body that is no SDP is refused with 400, its line and rule', () => {
  assert.deepEqual(refuseMalformed({ kind: 'malformed', line: 3, rule: 'x' }), {
    kind: 'refused',
    status: 400,
    why: 'SDP line 3: expected x',
  })
})

test('RTP/AVPF is answered as it was offered', () => {
  assert.match(agree(sdp('m=audio 4000 RTP/AVPF 8')).text, /m=audio 20000 RTP\/AVPF 8/)
})

test('directions meet: what the offer and we want, seen from us (RFC 3264 §6.1)', () => {
  const meet = (offered: string, wanted: LocalMedia['direction']): string => {
    const { stream, text } = agree(sdp('m=audio 4000 RTP/AVP 8', `a=${offered}`), { direction: wanted })
    assert.ok(text.includes(`a=${stream.direction}\r\n`))
    return stream.direction
  }
  assert.equal(meet('sendrecv', 'sendrecv'), 'sendrecv')
  assert.equal(meet('sendonly', 'sendrecv'), 'recvonly')
  assert.equal(meet('recvonly', 'sendrecv'), 'sendonly')
  assert.equal(meet('inactive', 'sendrecv'), 'inactive')
  assert.equal(meet('sendrecv', 'sendonly'), 'sendonly')
  assert.equal(meet('sendonly', 'sendonly'), 'inactive')
  assert.equal(meet('recvonly', 'inactive'), 'inactive')
})

test('a direction of the whole description holds for a stream without one', () => {
  assert.equal(agree(sdp('a=sendonly', 'm=audio 4000 RTP/AVP 8')).stream.direction, 'recvonly')
  assert.equal(agree(sdp('a=sendonly', 'm=audio 4000 RTP/AVP 8', 'a=sendrecv')).stream.direction, 'sendrecv')
})

test('old-style hold, c=0.0.0.0, means that the peer does not listen (RFC 3264 §8.4)', () => {
  const { stream } = agree(sdp('m=audio 4000 RTP/AVP 8', 'c=IN IP4 0.0.0.0'))
  assert.equal(stream.remote, null)
  assert.equal(stream.direction, 'recvonly')
  assert.equal(agree(sdp('m=audio 4000 RTP/AVP 8', 'c=IN IP4 0.0.0.0', 'a=inactive')).stream.direction, 'inactive')
})

test('a peer behind NAT may speak from where its signalling comes from; what its SDP says goes with it, so that a change shows', () => {
  const { stream } = agree(sdp('m=audio 4000 RTP/AVP 8', 'c=IN IP4 10.0.0.5', 'a=rtcp:4001'))
  assert.deepEqual(stream.accept, { mode: 'latch', address: '198.51.100.7' })
  assert.deepEqual(
    [stream.remote, stream.rtcp],
    [
      { address: '10.0.0.5', port: 4000 },
      { address: '10.0.0.5', port: 4001 },
    ],
  )
})

test('a peer that gives a name is waited for where its signalling comes from', () => {
  const { stream } = agree(sdp('m=audio 4000 RTP/AVP 8', 'c=IN IP4 media.example.com'))
  assert.deepEqual([stream.remote, stream.accept], [null, { mode: 'latch', address: '198.51.100.7' }])
})

test('RTCP goes where the peer says: another port, another address, or with the RTP', () => {
  const rtcp = (...lines: string[]) => agree(sdp('m=audio 4000 RTP/AVP 8', ...lines))
  assert.deepEqual(rtcp('a=rtcp:5001').stream.rtcp, { address: '198.51.100.7', port: 5001 })
  assert.deepEqual(rtcp('a=rtcp:5001 IN IP4 198.51.100.8').stream.rtcp, { address: '198.51.100.8', port: 5001 })
  assert.equal(rtcp('a=rtcp:0').stream.rtcp, null)
  assert.equal(rtcp('a=rtcp:70000').stream.rtcp, null)
  const mux = rtcp('a=rtcp-mux')
  assert.deepEqual(mux.stream.rtcp, { address: '198.51.100.7', port: 4000 })
  assert.match(mux.text, /a=rtcp-mux/)
  assert.doesNotMatch(rtcp().text, /a=rtcp-mux/)
})

test('packet times that cannot be are passed over', () => {
  const ptime = (...lines: string[]): number => agree(sdp('m=audio 4000 RTP/AVP 8', ...lines)).stream.ptimeMs
  assert.equal(ptime(), 20)
  assert.equal(ptime('a=ptime:0'), 20)
  assert.equal(ptime('a=ptime:1000000000'), 20)
  assert.equal(ptime('a=ptime:twenty'), 20)
  assert.equal(ptime('a=ptime:25'), 20)
  assert.equal(ptime('a=ptime:60'), 60)
  assert.equal(ptime('a=ptime:60', 'a=maxptime:40'), 40)
  assert.equal(ptime('a=maxptime:10'), 10)
  assert.equal(ptime('a=maxptime:0'), 20)
})

test('a re-offer keeps the session, its streams in place, and raises the version only when something changed (RFC 3264 §8)', () => {
  const first = agree(sdp('m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 8')).sdp
  const same = agree(sdp('m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 8'), {}, first).sdp
  assert.equal(same.origin.version, '1')
  const hold = makeOffer({ ...LOCAL, direction: 'sendonly', sessionId: '99' }, first)
  assert.deepEqual([hold.origin.sessionId, hold.origin.version], ['77', '2'])
  assert.deepEqual(
    hold.media.map(({ type, port }) => [type, port]),
    [
      ['video', 0],
      ['audio', 20_000],
    ],
  )
  assert.equal(makeOffer({ ...LOCAL, direction: 'sendrecv' }, hold).origin.version, '3')
})

test('an answer to our offer settles the stream', () => {
  const offer = makeOffer(LOCAL)
  const answer = sdp('m=audio 4000 RTP/AVP 0 96', 'a=rtpmap:96 telephone-event/8000', 'a=recvonly')
  const settled = acceptAnswer({ offer, answer, local: LOCAL, peer: PEER })
  assert.ok(settled.kind === 'agreed')
  const { codec, payloadType, dtmfPayloadType, direction } = settled.stream
  assert.deepEqual(
    { codec, payloadType, dtmfPayloadType, direction },
    { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 96, direction: 'sendonly' },
  )
})

test('an answer is looked for where the offer has the audio stream', () => {
  const previous = agree(sdp('m=video 5000 RTP/AVP 96', 'm=audio 4000 RTP/AVP 8')).sdp
  const offer = makeOffer({ ...LOCAL, direction: 'inactive' }, previous)
  const answer = sdp('m=video 0 RTP/AVP 96', 'm=audio 4100 RTP/AVP 8', 'a=inactive')
  const settled = acceptAnswer({ offer, answer, local: { ...LOCAL, direction: 'inactive' }, peer: PEER })
  assert.ok(settled.kind === 'agreed' && settled.stream.remote?.port === 4100)
})

test('an answer without our stream or codec is refused', () => {
  const offer = makeOffer(LOCAL)
  const why = (answer: Sdp): string => {
    const settled = acceptAnswer({ offer, answer, local: LOCAL, peer: PEER })
    assert.ok(settled.kind === 'refused')
    return settled.why
  }
  assert.match(why(sdp()), /no audio stream/)
  assert.match(why(sdp('m=video 1 RTP/AVP 96')), /no audio stream/)
  assert.match(why(sdp('m=audio 0 RTP/AVP 8')), /refuses the audio/)
  assert.match(why(sdp('m=audio 4000 RTP/AVP 18')), /no codec of the offer/)
  assert.match(why(sdp('m=audio 4000 RTP/SAVP 8')), /RTP\/SAVP/)
})

test('two of us agree with each other', () => {
  const offer = makeOffer(LOCAL)
  const other: LocalMedia = { ...LOCAL, address: '198.51.100.7', port: 30_000, codecs: ['PCMU'], sessionId: '5' }
  const reread = parseSdp(writeSdp(offer))
  assert.ok(reread.kind === 'sdp')
  const answer = answerOffer({ offer: reread, local: other, peer: { ...PEER, signallingAddress: '203.0.113.1' } })
  assert.ok(answer.kind === 'agreed')
  const settled = acceptAnswer({ offer, answer: answer.sdp, local: LOCAL, peer: PEER })
  assert.ok(settled.kind === 'agreed')
  assert.equal(settled.stream.codec, answer.stream.codec)
  assert.equal(settled.stream.dtmfPayloadType, answer.stream.dtmfPayloadType)
  assert.deepEqual([settled.stream.remote?.port, answer.stream.remote?.port], [30_000, 20_000])
})
