import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Frame, isKeepAlive, StreamFramer } from '#sip/message/framing.ts'
import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from '#sip/message/limits.ts'
import { tortureCases } from '#test/conformance/torture.ts'

function request(length: string, body = '', more = ''): string {
  return `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n${length}\r\n${more}\r\n${body}`
}

/** Frames in short: a message's body, `ping`, or the rule of a refusal. */
function short(frames: Frame[]): string[] {
  return frames.map((frame) => {
    if (frame.kind === 'ping') return 'ping'
    if (frame.kind === 'refused') return `refused ${frame.rule}`
    return frame.bytes.toString('latin1', frame.bytes.indexOf('\r\n\r\n') + 4)
  })
}

function framesOf(text: string): string[] {
  return short(new StreamFramer().push(Buffer.from(text, 'latin1')))
}

const lengths: [line: string, rule: string][] = [
  ['Content-Length: -1', 'content-length'],
  ['Content-Length: +5', 'content-length'],
  ['Content-Length: 5,5', 'content-length'],
  ['Content-Length: 5 5', 'content-length'],
  ['Content-Length: 0x5', 'content-length'],
  ['Content-Length: 5.0', 'content-length'],
  ['Content-Length:', 'content-length'],
  ['Content-Length: 5\r\nContent-Length: 5', 'duplicate'],
  ['Content-Length: 5\r\nl: 5', 'duplicate'],
  ['l: 5\r\nCONTENT-LENGTH : 6', 'duplicate'],
  ['Content-Length: 4294967301', 'body-too-long'],
  ['Content-Length: 18446744073709551621', 'content-length'],
  ['Content-Length: 000000000000005', 'content-length'],
  [`Content-Length: ${MAX_BODY_BYTES + 1}`, 'body-too-long'],
  ['X: 1', 'content-length'],
  ['X: 1\nContent-Length: 5', 'line-break'],
  ['X: 1\rContent-Length: 5', 'line-break'],
  ['Content-Length\0: 5', 'content-length'],
  [' Content-Length: 5', 'content-length'],
]
for (const [line, rule] of lengths) {
  test(`a stream with ${JSON.stringify(line)} is refused as ${rule} and read no further`, () => {
    assert.deepEqual(framesOf(request(line, 'hello') + request('Content-Length: 0')), [`refused ${rule}`])
  })
}

const understood = ['Content-Length: 5', 'Content-Length: 05', 'l:5', 'L : 5 ', 'Content-Length:\r\n 5', 'content-length\t:\t5\t']
for (const line of understood) {
  test(`${JSON.stringify(line)} frames a body of five bytes`, () => {
    assert.deepEqual(framesOf(request(line, 'hello') + request('l: 1', 'x')), ['hello', 'x'])
  })
}

test('a length named in a folded value is none', () => {
  assert.deepEqual(framesOf(request('Subject: a\r\n Content-Length: 9\r\nContent-Length: 2', 'hi')), ['hi'])
})

test('two line breaks between messages are a ping, one is nothing', () => {
  assert.deepEqual(framesOf(`\r\n\r\n${request('l: 1', 'x')}\r\n${request('l: 1', 'y')}\r\n\r\n\r\n\r\n`), [
    'ping',
    'x',
    'y',
    'ping',
    'ping',
  ])
})

test('a head beyond the limit is refused before it is complete', () => {
  const framer = new StreamFramer()
  const frames: Frame[] = []
  for (let i = 0; i < 100 && frames.length === 0; i++) frames.push(...framer.push(Buffer.alloc(1000, 'x')))
  assert.deepEqual(short(frames), ['refused head-too-long'])
  assert.equal(framer.pendingBytes, 0)
})

test('a head of just the limit is taken', () => {
  const empty = request('l: 0\r\nSubject: ').length
  const text = request(`l: 0\r\nSubject: ${'x'.repeat(MAX_HEAD_BYTES + 4 - empty)}`)
  assert.deepEqual(framesOf(text), [''])
  assert.deepEqual(framesOf(text.replace('xx', 'xxx')), ['refused head-too-long'])
})

const STREAM = `\r\n\r\n${request('Content-Length: 5', 'he\r\nl')}${request('l: 0')}\r\n\r\n\r\n${request('l: 3', 'abc', 'X: \r\n 1\r\n')}${request('l: -1')}rest`

test('a stream split at every byte gives the same frames', () => {
  const bytes = Buffer.from(STREAM)
  const whole = new StreamFramer().push(bytes)
  for (let at = 0; at <= bytes.length; at++) {
    const framer = new StreamFramer()
    assert.deepEqual([...framer.push(bytes.subarray(0, at)), ...framer.push(bytes.subarray(at))], whole, `split at ${at}`)
  }
})

test('each message of RFC 4475 gives the same frames whole and byte by byte', () => {
  for (const { name, bytes } of tortureCases('rfc4475')) {
    const drip = new StreamFramer()
    const dripped = Array.from(bytes).flatMap((byte) => drip.push(Uint8Array.of(byte)))
    assert.deepEqual(dripped, new StreamFramer().push(bytes), name)
  }
})

test('any stream in any chunks gives the same frames', () => {
  const piece = fc.constantFrom('\r\n', '\r', 'l: 1\r\n', 'l: 0\r\n\r\n', request('l: 2', 'ab'), 'x', request('X: 1'), '\r\n\r\n')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 30 }), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''))
      const framer = new StreamFramer()
      const frames: Frame[] = []
      let at = 0
      for (const cut of cuts) {
        frames.push(...framer.push(bytes.subarray(at, at + cut)))
        at += cut
      }
      frames.push(...framer.push(bytes.subarray(at)))
      assert.deepEqual(frames, new StreamFramer().push(bytes))
    }),
    { numRuns: 500 },
  )
})

test('frames do not change when the chunk they came in is reused', () => {
  const chunk = Buffer.from(request('l: 2', 'ab'))
  const [frame] = new StreamFramer().push(chunk)
  chunk.fill(0)
  assert.ok(frame?.kind === 'message')
  assert.equal(frame.bytes.toString('latin1', frame.bytes.length - 2), 'ab')
})

test('keep-alive datagrams are told from messages', () => {
  for (const text of ['', '\r\n\r\n', '\r\n', '\0\0\0\0']) assert.ok(isKeepAlive(Buffer.from(text)))
  for (const text of ['x', '\r\nOPTIONS', '\r\n'.repeat(9)]) assert.ok(!isKeepAlive(Buffer.from(text)))
})
