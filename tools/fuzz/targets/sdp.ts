import assert from 'node:assert/strict'
import type { LocalMedia, Peer } from '#media/sdp/local-media.ts'
import { acceptAnswer, answerOffer, makeOffer } from '#media/sdp/offer-answer.ts'
import { LONGEST_SDP_BYTES, parseSdp } from '#media/sdp/parse-sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'
import { bodySeeds } from '#tools/fuzz/seeds.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const LOCAL: LocalMedia = {
  address: '192.0.2.1',
  port: 20_000,
  codecs: ['PCMA', 'PCMU'],
  direction: 'sendrecv',
  ptimeMs: 20,
  sessionId: '1',
}
const PEER: Peer = { signallingAddress: '192.0.2.2', localNetworks: ['10.0.0.0/8', 'fd00::/8'], silenceMs: 60_000 }

const offer =
  'v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP6 2001:db8::2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=rtcp:4001\r\na=sendrecv\r\nm=video 0 RTP/AVP 31\r\n'

/** A description as offer to us and as answer to ours; what is written must read back. */
export const sdpTarget: FuzzTarget = {
  name: 'sdp',
  seeds: () => [...bodySeeds(), Buffer.from(offer)],
  run(bytes) {
    const sdp = parseSdp(bytes)
    if (sdp.kind !== 'sdp') return JSON.stringify({ ...sdp, line: 0 })
    const written = writeSdp(sdp)
    assert.ok(Buffer.byteLength(written) > LONGEST_SDP_BYTES || parseSdp(written).kind === 'sdp', 'what was written does not read back')
    const answer = answerOffer({ offer: sdp, local: LOCAL, peer: PEER })
    if (answer.kind === 'agreed') assert.equal(parseSdp(writeSdp(answer.sdp)).kind, 'sdp', 'our answer does not read back')
    const accepted = acceptAnswer({ offer: makeOffer(LOCAL), answer: sdp, local: LOCAL, peer: PEER })
    return `${answer.kind === 'agreed' ? 'agreed' : answer.why} ${accepted.kind === 'agreed' ? 'agreed' : accepted.why}`.replace(
      /[0-9]+/g,
      '0',
    )
  },
}
