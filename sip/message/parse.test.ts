import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_HEADER_LINES, MAX_ID_LENGTH } from '#sip/message/limits.ts'
import { answerMalformed, type MalformedRule } from '#sip/message/malformed.ts'
import type { SipMessage, SipRequest } from '#sip/message/message.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { serialize } from '#sip/message/serialize.ts'
import { parseUri } from '#sip/message/uri.ts'

const HEADERS = {
  Via: 'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKabc;rport',
  'Max-Forwards': '70',
  From: '"Alice" <sip:alice@example.com>;tag=1',
  To: '<sip:bob@example.com>',
  'Call-ID': 'a84b4c76e66710@192.0.2.1',
  CSeq: '314159 INVITE',
  Contact: '<sip:alice@192.0.2.1:5062>',
  'Content-Length': '4',
}

/** A good INVITE with some header lines changed, added or (undefined) left out. */
function invite(changes: Record<string, string | undefined> = {}, startLine = 'INVITE sip:bob@example.com SIP/2.0'): Buffer {
  const lines = Object.entries({ ...HEADERS, ...changes }).filter(([, value]) => value !== undefined)
  return Buffer.from(`${startLine}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\nbody`, 'latin1')
}

function parsed(bytes: Uint8Array): SipRequest {
  const message = parseMessage(bytes)
  assert.equal(message.kind, 'request', message.kind === 'malformed' ? message.rule : '')
  assert.ok(message.kind === 'request')
  return message
}

function refused(bytes: Uint8Array, rule: MalformedRule): void {
  const message = parseMessage(bytes)
  assert.equal(message.kind === 'malformed' ? message.rule : message.kind, rule)
}

test('a request gives its parts, typed', () => {
  const { method, uri, headers, body } = parsed(invite())
  assert.deepEqual([method, uri, Buffer.from(body).toString()], ['INVITE', 'sip:bob@example.com', 'body'])
  assert.deepEqual(headers.cseq, { seq: 314159, method: 'INVITE' })
  assert.equal(headers.from.display, 'Alice')
  assert.equal(headers.from.tag, '1')
  assert.equal(headers.to.tag, undefined)
  assert.deepEqual([headers.via.host, headers.via.port, headers.via.branch, headers.via.rport], ['192.0.2.1', 5062, 'z9hG4bKabc', 'asked'])
  assert.equal(headers.contact?.uri, 'sip:alice@192.0.2.1:5062')
  assert.equal(headers.maxForwards, 70)
})

test('compact names, odd case and blanks before the colon name the same headers', () => {
  const { headers } = parsed(invite({ Via: undefined, v: HEADERS.Via, Contact: undefined, 'M  ': '<sip:x@192.0.2.9>', k: 'timer, 100rel' }))
  assert.equal(headers.get('VIA'), HEADERS.Via)
  assert.equal(headers.contact?.uri, 'sip:x@192.0.2.9')
  assert.deepEqual(headers.supported, ['timer', '100rel'])
})

test('line breaks before the start line are ignored', () => {
  parsed(Buffer.concat([Buffer.from('\r\n\r\n'), invite()]))
})

const refusals: [what: string, bytes: Buffer, rule: MalformedRule][] = [
  ['no bytes', Buffer.alloc(0), 'empty'],
  ['only line breaks', Buffer.from('\r\n\r\n'), 'empty'],
  ['noise', Buffer.from('hello'), 'head-not-ended'],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'start-line'],
  ['a version of the future', invite({}, 'INVITE sip:bob@example.com SIP/3.0'), 'version'],
  ['a line without colon', invite({ 'Call-ID': 'x\r\nnonsense' }), 'header-line'],
  ['a name with a blank inside', invite({ 'X Y': '1' }), 'header-line'],
  ['a continuation line before any header', invite({}, 'INVITE sip:bob@example.com SIP/2.0\r\n X: 1'), 'header-line'],
  ['a bare LF in a value', invite({ Subject: 'a\nX-Internal: 1' }), 'line-break'],
  ['a bare CR in a value', invite({ Subject: 'a\rX-Internal: 1' }), 'line-break'],
  ['a NUL in a value', invite({ Subject: 'a\0b' }), 'control-character'],
  ['a NUL in a quoted string without backslash', invite({ From: '"a\0b" <sip:a@b>;tag=1' }), 'control-character'],
  ['a NUL in a name', invite({ 'X-A\0': '1' }), 'header-line'],
  ['a URI in brackets', invite({}, 'INVITE <sip:bob@example.com> SIP/2.0'), 'request-uri'],
  ['a URI with headers', invite({}, 'INVITE sip:bob@example.com?Subject=x SIP/2.0'), 'request-uri'],
  ['two Call-IDs', invite({ i: 'second' }), 'duplicate'],
  ['no From', invite({ From: undefined }), 'missing'],
  ['no Via', invite({ Via: undefined }), 'missing'],
  ['a Via of another shape', invite({ Via: 'SIP/2.0 UDP 192.0.2.1' }), 'via'],
  ['a Via port of 0', invite({ Via: 'SIP/2.0/UDP 192.0.2.1:0;branch=z9hG4bKa' }), 'via'],
  ['an empty tag', invite({ From: '<sip:a@b>;tag=' }), 'from'],
  ['two tags', invite({ From: '<sip:a@b>;tag=1;tag=2' }), 'from'],
  ['a To without URI', invite({ To: 'bob' }), 'to'],
  ['a Call-ID of two words', invite({ 'Call-ID': 'a b' }), 'call-id'],
  ['an empty Call-ID', invite({ 'Call-ID': '' }), 'call-id'],
  ['a Call-ID longer than any', invite({ 'Call-ID': 'x'.repeat(MAX_ID_LENGTH + 1) }), 'call-id'],
  ['a branch longer than any', invite({ Via: `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${'x'.repeat(MAX_ID_LENGTH)}` }), 'via'],
  ['a From tag longer than any', invite({ From: `<sip:a@b>;tag=${'x'.repeat(MAX_ID_LENGTH + 1)}` }), 'from'],
  ['a To tag longer than any', invite({ To: `<sip:a@b>;tag=${'x'.repeat(MAX_ID_LENGTH + 1)}` }), 'to'],
  ['a method longer than any', invite({}, `${'X'.repeat(MAX_ID_LENGTH + 1)} sip:bob@example.com SIP/2.0`), 'start-line'],
  ['a CSeq above 32 bits', invite({ CSeq: '4294967296 INVITE' }), 'cseq'],
  ['a CSeq of another method', invite({ CSeq: '1 BYE' }), 'cseq-method'],
  ['a CSeq with a sign', invite({ CSeq: '+1 INVITE' }), 'cseq'],
  ['* beside a Contact', invite({ Contact: '*, <sip:a@b>' }), 'contact'],
  ['a Route that is no address', invite({ Route: '<sip:a@b>, nowhere' }), 'route'],
  ['a Record-Route that is not closed', invite({ 'Record-Route': '<sip:a@b' }), 'record-route'],
  ['Max-Forwards of 256', invite({ 'Max-Forwards': '256' }), 'max-forwards'],
  ['Expires that is no number', invite({ Expires: 'soon' }), 'expires'],
  ['a Content-Type without subtype', invite({ 'Content-Type': 'sdp' }), 'content-type'],
  ['a Content-Length above what came', invite({ 'Content-Length': '5' }), 'content-length'],
  ['a Content-Length with a sign', invite({ 'Content-Length': '+4' }), 'content-length'],
  ['a Content-Length list', invite({ 'Content-Length': '4,4' }), 'content-length'],
  ['a Content-Length of 2^32 + 4', invite({ 'Content-Length': '4294967300' }), 'content-length'],
  ['a head of 40 kB', invite({ Subject: 'x'.repeat(40_000) }), 'head-too-long'],
  ['too many headers', invite({ Subject: `x${'\r\nVia: SIP/2.0/UDP a'.repeat(MAX_HEADER_LINES)}` }), 'too-many-headers'],
]
for (const [what, bytes, rule] of refusals) test(`${what} is refused as ${rule}`, () => refused(bytes, rule))

test('Max-Breadth is a number; a request with two of them is refused with 400 (RFC 5393 §5.3.1)', () => {
  const breadths = ['60', '0', '4294967295', '4294967296', '-1', 'wide'].map(
    (value) => parsed(invite({ 'Max-Breadth': value })).headers.maxBreadth,
  )
  assert.deepEqual(breadths, [60, 0, 4_294_967_295, undefined, undefined, undefined])
  assert.equal(parsed(invite()).headers.maxBreadth, undefined)
  const twice = parseMessage(invite({ 'Max-Breadth': '60', 'max-breadth': '60' }))
  assert.ok(twice.kind === 'malformed')
  assert.deepEqual([twice.rule, answerMalformed(twice, 't')?.status], ['duplicate', 400])
})

test('the Content-Length that is written counts among the header lines, so that what was read can be read again', () => {
  const lines = (more: number): Buffer => invite({ 'Content-Length': undefined, Subject: `x${'\r\nSupported: x'.repeat(more)}` })
  refused(lines(MAX_HEADER_LINES + 20), 'too-many-headers')
  let most = 0
  for (let more = MAX_HEADER_LINES - 20; more < MAX_HEADER_LINES + 10; more++) {
    const message = parseMessage(lines(more))
    if (message.kind === 'malformed') assert.equal(message.rule, 'too-many-headers')
    else assert.equal(parseMessage(serialize(message)).kind, 'request', `${(most = message.headers.count)} lines`)
  }
  assert.equal(most, MAX_HEADER_LINES - 1)
})

test('a refused request is answered with what could be read of it, never with what could break out of a line', () => {
  const message = parseMessage(invite({ Subject: 'a\nb', To: '<sip:b@x>\n', CSeq: '7 INVITE' }))
  assert.ok(message.kind === 'malformed')
  const answer = answerMalformed(message, 'tag')
  assert.ok(answer)
  assert.equal(
    serialize(answer).toString(),
    `SIP/2.0 400 Bad Request (line-break)\r\nVia: ${HEADERS.Via}\r\nFrom: ${HEADERS.From}\r\nCall-ID: ${HEADERS['Call-ID']}\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n`,
  )
})

test('no answer is made for a malformed response, an ACK or noise', () => {
  const silent = ['SIP/2.0 99 No\r\nVia: SIP/2.0/UDP a\r\n\r\n', 'ACK x SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n', 'hello\r\n\r\n']
  for (const text of silent) {
    const message = parseMessage(Buffer.from(text))
    assert.ok(message.kind === 'malformed')
    assert.equal(answerMalformed(message, 'tag'), null)
  }
})

test('the offset of a refusal counts bytes to the line at fault', () => {
  const bytes = invite({ From: '"Ж" nobody' })
  const utf8 = Buffer.from(bytes.toString('latin1').replace('\x16', 'Ж'))
  const message = parseMessage(utf8)
  assert.ok(message.kind === 'malformed')
  assert.equal(message.offset, utf8.indexOf('From:'))
})

test('bytes that are no UTF-8 pass through unchanged, beside ones that are', () => {
  const bytes = Buffer.concat([
    Buffer.from('OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\nFrom: "'),
    Buffer.from([0xd0, 0x96, 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
    Buffer.from('" <sip:a@b>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'),
  ])
  const message = parsed(bytes)
  assert.equal(message.headers.from.display[0], 'Ж')
  assert.deepEqual(serialize(message), bytes)
})

test('a header that hides behind spelling is seen under its one name', () => {
  for (const spelling of ['X-Internal', 'X-Internal ', 'x-internal\t', 'X-INTERNAL']) {
    assert.equal(parsed(invite({ [spelling]: 'v' })).headers.get('x-internal'), 'v')
  }
  assert.equal(parsed(invite({ 'X-Internal': '\r\n v' })).headers.get('X-Internal'), 'v')
})

test('lists are taken apart at commas, but not inside quotes and brackets', () => {
  const { headers } = parsed(invite({ 'P-Asserted-Identity': '"Doe, J." <sip:j@x>, <tel:+1555,1>', Allow: 'INVITE,ACK , BYE' }))
  assert.deepEqual(headers.all('p-asserted-identity'), ['"Doe, J." <sip:j@x>', '<tel:+1555,1>'])
  assert.deepEqual(headers.allow, ['INVITE', 'ACK', 'BYE'])
  assert.equal(headers.get('Allow'), 'INVITE')
  assert.deepEqual(headers.lines('Allow'), ['INVITE,ACK , BYE'])
})

test('bytes behind the body are ignored', () => {
  assert.equal(parsed(invite({ 'Content-Length': '2' })).body.length, 2)
})

test('any bytes give a value', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { kind } = parseMessage(bytes)
      assert.ok(kind === 'malformed' || kind === 'request' || kind === 'response')
    }),
  )
})

test('a good message with any bytes put in gives a value, and one that parses survives a round trip', () => {
  const seed = invite({ Route: '<sip:p@192.0.2.7;lr>', 'Content-Type': 'application/sdp', Expires: '60' })
  const edit = fc.tuple(fc.nat(seed.length), fc.nat(8), fc.uint8Array({ maxLength: 8 }))
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes: Buffer = seed
      for (const [at, cut, put] of edits) bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)])
      const first = parseMessage(bytes)
      if (first.kind !== 'malformed') assertStable(first)
      else answerMalformed(first, 'tag')
    }),
    { numRuns: 2000 },
  )
})

function assertStable(first: SipMessage): void {
  const bytes = serialize(first)
  const second = parseMessage(bytes)
  assert.notEqual(second.kind, 'malformed')
  if (second.kind !== 'malformed') assert.deepEqual(serialize(second), bytes)
}

test('a Request-URI is judged for itself, whatever came before it', () => {
  const judged = [
    'sip:a.example',
    'sip:a.example',
    'sip:a.example?subject=x',
    'sip:a.example',
    'sip:b.example',
    'sip:a_example:0',
    'sip:b.example',
  ]
  assert.deepEqual(
    judged.map((uri) => parseMessage(invite({}, `INVITE ${uri} SIP/2.0`)).kind),
    ['request', 'request', 'malformed', 'request', 'request', 'malformed', 'request'],
  )
})

test('To has the URI of From only where it is written the same', () => {
  for (const uri of [
    'sip:alice@a.example',
    'sip:Alice@a.example',
    'sip:alice@A.example',
    'sip:alice@a.example:5060',
    'sip:bob@b.example',
    'tel:+4930123',
  ]) {
    const { headers } = parsed(invite({ From: '"A" <sip:alice@a.example>;tag=1', To: `B <${uri}>;tag=2` }))
    const { from, to } = headers
    assert.deepEqual([from.display, from.tag, from.parsed], ['A', '1', parseUri('sip:alice@a.example')])
    assert.deepEqual([to.display, to.tag, to.uri, to.parsed], ['B', '2', uri, parseUri(uri)])
    headers.set('From', '<sip:carol@c.example>')
    assert.deepEqual([headers.from.uri, headers.to.parsed], ['sip:carol@c.example', parseUri(uri)])
  }
})
