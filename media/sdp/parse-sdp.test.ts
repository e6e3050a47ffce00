import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { attribute, LONGEST_SDP_BYTES, parseSdp } from '#media/sdp/parse-sdp.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

const HEAD = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n'

function read(text: string): Sdp {
  const sdp = parseSdp(text)
  assert.ok(sdp.kind === 'sdp', JSON.stringify(sdp))
  return sdp
}

function rule(text: string | Uint8Array): string {
  const sdp = parseSdp(text)
  assert.ok(sdp.kind === 'malformed')
  return `${sdp.line}: ${sdp.rule}`
}

test('a description of a phone reads with its origin, address, streams and attributes', () => {
  const sdp = read(
    `${HEAD}a=sendrecv\r\nm=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\nm=video 0 RTP/AVP 34\r\n`,
  )
  assert.deepEqual({ ...sdp.origin }, { username: '-', sessionId: '1', version: '1', addressType: 'IP4', address: '192.0.2.1' })
  assert.deepEqual(sdp.connection, { addressType: 'IP4', address: '192.0.2.1' })
  assert.equal(attribute(sdp.attributes, 'sendrecv'), '')
  assert.deepEqual(
    sdp.media.map(({ type, port, protocol, formats }) => [type, port, protocol, ...formats]),
    [
      ['audio', 49_170, 'RTP/AVP', '8', '0', '101'],
      ['video', 0, 'RTP/AVP', '34'],
    ],
  )
  assert.equal(attribute(sdp.media[0]?.attributes ?? [], 'fmtp'), '101 0-15')
  assert.equal(attribute(sdp.media[0]?.attributes ?? [], 'maxptime'), null)
})

test('the example of RFC 8866 §5 is read', () => {
  const sdp = read(
    'v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\ni=SDP Offer #1\r\nu=http://www.jdoe.example.com/home.html\r\ne=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\nm=audio 49180 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99\r\nc=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n',
  )
  assert.equal(sdp.sessionName, 'Call to John Smith')
  assert.deepEqual(sdp.media[2]?.connection, { addressType: 'IP6', address: '2001:db8::2' })
})

test('what implementations really send is read: bare line feeds, no s= or t=, blank lines, unknown lines, several c=', () => {
  const sdp = read('v=0\no=x 1 2 IN IP6 ::1\nx=what\nm=audio 5004/2 rtp/avp 0\nc=IN IP6 ::1\nc=IN IP6 ::2\n\na=RTCP-MUX\n')
  assert.equal(sdp.sessionName, '-')
  assert.equal(sdp.media[0]?.protocol, 'RTP/AVP')
  assert.equal(sdp.media[0]?.connection?.address, '::1')
  assert.equal(attribute(sdp.media[0]?.attributes ?? [], 'rtcp-mux'), '')
})

test('names and multicast addresses may stand in c=', () => {
  assert.equal(read(HEAD.replace('c=IN IP4 192.0.2.1', 'c=IN IP4 media.example.com')).connection?.address, 'media.example.com')
  assert.equal(read(HEAD.replace('c=IN IP4 192.0.2.1', 'c=IN IP4 224.2.1.1/127/3')).connection?.address, '224.2.1.1')
})

test('what breaks the grammar is refused with its line and rule', () => {
  assert.match(rule(''), /^0: an o= line/)
  assert.match(rule('hello'), /^1: v=0/)
  assert.match(rule('v=1\r\n'), /^1: v=0/)
  assert.match(rule('v=0\r\no=- x 1 IN IP4 1.2.3.4\r\n'), /^2: o=/)
  assert.match(rule(`${HEAD}m=audio 65536 RTP/AVP 0\r\n`), /^6: a port/)
  assert.match(rule(`${HEAD}m=audio -1 RTP/AVP 0\r\n`), /^6: a port/)
  assert.match(rule(`${HEAD}m=audio 5004 RTP/AVP\r\n`), /^6: m=/)
  assert.match(rule(`${HEAD}c=OUT IP4 1.2.3.4\r\n`), /^6: c=/)
  assert.match(rule(`${HEAD}hello\r\n`), /^6: a letter/)
  assert.match(rule(`${HEAD}a=\r\n`), /^6: a=/)
})

test('bombs are refused: a thousand streams, ten thousand attributes, a megabyte', () => {
  assert.match(rule(HEAD + 'm=audio 1 RTP/AVP 0\r\n'.repeat(1000)), /at most 64 m= lines/)
  assert.match(rule(HEAD + 'a=b:1\r\n'.repeat(5000)), /at most 4096 lines/)
  assert.match(rule(`${HEAD}m=audio 1 RTP/AVP${' 0'.repeat(1000)}\r\n`), /at most 128 formats/)
  assert.match(rule(new Uint8Array(1_000_000)), new RegExp(`at most ${LONGEST_SDP_BYTES} bytes`))
})

test('any bytes give a description or a refusal, and a description written and read again is the same', () => {
  const line = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.tuple(fc.constantFrom('o', 'c', 'a', 'm', 's', 'x'), fc.string({ maxLength: 40 })).map(([type, value]) => `${type}=${value}`),
    fc.constantFrom('o=- 1 1 IN IP4 0.0.0.0', 'c=IN IP4 1.2.3.4', 'm=audio 4 RTP/AVP 0', 'a=ptime:1000000000', 'a=rtpmap:0 PCMU/8000'),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const first = parseSdp(['v=0', ...lines].join('\r\n'))
      if (first.kind === 'malformed') return
      const text = writeSdp(first)
      const second = parseSdp(text)
      assert.ok(second.kind === 'sdp', text)
      assert.equal(writeSdp(second), text)
    }),
    { numRuns: 1000 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseSdp(bytes)))
})

test('a value cannot break out of its line', () => {
  const sdp = { ...read(HEAD), sessionName: 'x\r\nm=audio 1 RTP/AVP 0' }
  assert.equal(read(writeSdp(sdp)).media.length, 0)
})

test('control characters are refused where leaving them out would leave nothing: what was read can be written and read again', () => {
  for (const bad of ['\r\r', '\0', '\x7f\x01']) {
    assert.equal(rule(HEAD.replace('IP4 192.0.2.1\r\ns', `IP4 ${bad} IP4\r\ns`)), '2: an o= line without control characters')
    assert.equal(rule(HEAD.replace('o=- ', `o=x${bad} `)), '2: an o= line without control characters')
    assert.equal(rule(HEAD.replace('c=IN IP4 192.0.2.1', `c=IN IP4 ${bad} x`)), '4: a c= line without control characters')
    assert.equal(rule(`${HEAD}a=x${bad}y:1\r\n`), '6: a=<name>[:<value>] (RFC 8866 §5.13)')
  }
  assert.equal(read(`${HEAD}s=\0\r\n`).sessionName, '\0')
  assert.equal(read(writeSdp(read(`${HEAD}s=\0\r\n`))).sessionName, '-')
})

test('spaces of Unicode are parts of words wherever they stand: what was read can be written and read again', () => {
  const odd = read(HEAD.replace('IP4 192.0.2.1\r\ns', 'IP4 \ufeff IP4\r\ns').replace('c=IN IP4 192.0.2.1', 'c=IN IP4 \u00a0 x'))
  assert.deepEqual([odd.origin.address, odd.connection?.address], ['\ufeff', '\u00a0'])
  assert.deepEqual(read(writeSdp(odd)), odd)
})
