import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAuthHeader } from '#sip/message/auth-header.ts'
import { contactExpires, contactQ, parseEvent, parseMediaType, parseReason, parseRetryAfter } from '#sip/message/fields.ts'
import { listHolds, quoted, splitList, unquoted } from '#sip/message/grammar.ts'
import { formatNameAddr, parseNameAddr, parseNameAddrs } from '#sip/message/name-addr.ts'
import { parseParams } from '#sip/message/params.ts'
import { beginningOf, textBytes, textOf, writeText } from '#sip/message/text.ts'
import { formatVia, parseVia, stampedVia } from '#sip/message/via.ts'

test('an address without brackets gives its parameters to the header, with brackets to the URI', () => {
  assert.equal(parseNameAddr('sip:a@x;tag=1')?.tag, '1')
  const inside = parseNameAddr('<sip:a@x;tag=1>')
  assert.deepEqual([inside?.tag, inside?.uri], [undefined, 'sip:a@x;tag=1'])
})

const goodAddresses: [text: string, display: string, uri: string][] = [
  ['<sip:a@x>', '', 'sip:a@x'],
  ['caller<sip:a@x>', 'caller', 'sip:a@x'],
  ['A. B. <sip:a@x>', 'A. B.', 'sip:a@x'],
  ['Пётр (дом) <sip:a@x>', 'Пётр (дом)', 'sip:a@x'],
  ['"a \\"b\\" <c>, \\\\" <sip:a@x>', 'a "b" <c>, \\', 'sip:a@x'],
  ['"" <tel:+15551234567>', '', 'tel:+15551234567'],
  ['sip:a@x ;\ttag=2', '', 'sip:a@x'],
]
for (const [text, display, uri] of goodAddresses) {
  test(`${text} names ${uri}`, () => {
    const address = parseNameAddr(text)
    assert.deepEqual([address?.display, address?.uri], [display, uri])
  })
}

const badAddresses = [
  '',
  '<>',
  '"a <sip:a@x>',
  '"a" sip:a@x',
  '<sip:a@x',
  'sip:a@x>',
  '< sip:a@x >',
  'Bell, A <sip:a@x>',
  'a"b" <sip:a@x>',
  'sip:a@x?b=c',
  'sip:a@x,sip:b@x',
  '<sip:a@x>tag=1',
  '<sip:a@x>;',
  '<sip:a@x>;;tag=1',
  '<sip:a@x>;tag="1',
  '<<sip:a@x>>',
]
for (const text of badAddresses) test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseNameAddr(text), undefined))

test('any display name survives formatting and parsing, save for control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (display) => {
      const back = parseNameAddr(formatNameAddr({ display, uri: 'sip:a@x', params: new Map([['tag', '1']]) }))
      assert.deepEqual([back?.display, back?.tag], [display.replace(/[\x00-\x1f\x7f]/g, ' '), '1'])
    }),
  )
})

test('quoting cannot be broken out of', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const [only, ...more] = parseNameAddrs([`${quoted(text)} <sip:a@x>`]) ?? []
      assert.equal(more.length, 0)
      assert.equal(only?.display, unquoted(quoted(text)))
    }),
  )
})

test('a Via may be spread out, carry an IPv6 address bare or bracketed, and fill in rport', () => {
  const via = parseVia('SIP / 2.0 / udp  [2001:DB8::9:1] : 5070 ; received=[2001:db8::9:255];rport=6 ; branch=z9hG4bKa')
  assert.deepEqual(
    [via?.transport, via?.host, via?.port, via?.received, via?.rport, via?.branch],
    ['UDP', '2001:db8::9:1', 5070, '2001:db8::9:255', 6, 'z9hG4bKa'],
  )
  assert.equal(parseVia('SIP/2.0/UDP [::1];received=2001:db8::9:255;branch=x')?.received, '2001:db8::9:255')
})

for (const text of [
  '',
  'SIP/2.0',
  'SIP/2.0/UDP',
  'SIP/2.0/UDP ;branch=a',
  'SIP/2.0/UDP a b',
  'SIP/2.0/UDP a;branch=',
  'SIP/2.0/UDP a;rport=0',
  'SIP/2.0/UDP a;received=host',
  'SIP/2.0/UDP 192.0.2.15;;,;,,',
]) {
  test(`${JSON.stringify(text)} is no Via`, () => assert.equal(parseVia(text), undefined))
}

test('the receiver notes the source in the top Via only, over whatever was claimed (RFC 3261 §18.2.1, RFC 3581 §4)', () => {
  const source = { address: '198.51.100.7', port: 41000 }
  const cases: [line: string, stamped: string][] = [
    ['SIP/2.0/UDP 198.51.100.7;branch=a', 'SIP/2.0/UDP 198.51.100.7;branch=a'],
    ['SIP/2.0/UDP 10.0.0.1:5060;branch=a', 'SIP/2.0/UDP 10.0.0.1:5060;branch=a;received=198.51.100.7'],
    ['SIP/2.0/UDP 198.51.100.7;rport;branch=a', 'SIP/2.0/UDP 198.51.100.7;rport=41000;branch=a;received=198.51.100.7'],
    [
      'SIP/2.0/UDP 10.0.0.1;received=1.2.3.4;rport=9, SIP/2.0/TCP b',
      'SIP/2.0/UDP 10.0.0.1;rport=41000;received=198.51.100.7, SIP/2.0/TCP b',
    ],
  ]
  for (const [line, stamped] of cases) {
    const via = parseVia(line)
    assert.ok(via)
    assert.equal(stampedVia(line, via, source), stamped)
  }
})

test('a Via that we write reads back', () => {
  const via = parseVia(formatVia({ transport: 'WS', host: '2001:db8::1', port: 8088, branch: 'z9hG4bKq' }))
  assert.deepEqual([via?.transport, via?.host, via?.port, via?.branch, via?.rport], ['WS', '2001:db8::1', 8088, 'z9hG4bKq', 'asked'])
})

test('parameters keep their quotes, fold their names and may not repeat', () => {
  assert.deepEqual(
    [...(parseParams(' ; A = "x;y" ;b', 0) ?? [])],
    [
      ['a', '"x;y"'],
      ['b', ''],
    ],
  )
  for (const text of [';', ';a=', ';a;A', ';a="x"y', ';a="x', ';=x', ';a b', 'x;a']) assert.equal(parseParams(text, 0), undefined, text)
})

test('small values', () => {
  assert.equal(parseMediaType('Application / SDP;charset=utf-8')?.type, 'application/sdp')
  assert.deepEqual(parseReason('Q.850 ;cause=16;text="Normal, clearing"'), { protocol: 'Q.850', cause: 16, text: 'Normal, clearing' })
  assert.equal(parseRetryAfter('18000;duration=3600 (in a meeting)'), 18000)
  assert.deepEqual([parseEvent('Dialog;id=7')?.name, parseEvent('Dialog;id=7')?.id], ['dialog', '7'])
  const expires = ['60', '0', '', 'soon', '99999999999'].map((text) => contactExpires(new Map([['expires', text]])))
  assert.deepEqual(expires, [60, 0, 3600, 3600, 4294967295])
  assert.deepEqual(
    ['0.5', '1', '0', '1.5', 'x'].map((q) => contactQ(new Map([['q', q]]))),
    [500, 1000, 0, 1000, 1000],
  )
})

test('credentials are taken apart, and refused when a parameter stands twice', () => {
  const header = parseAuthHeader('DIGEST username="a, \\"b\\"",realm="x" , qop=auth')
  assert.deepEqual([header?.scheme, header?.params.get('username'), header?.params.get('qop')], ['digest', 'a, "b"', 'auth'])
  for (const text of ['', 'Digest', 'Digest a', 'Digest a=1, A=2', 'Digest =x', 'Digest a=1,,b=2']) {
    assert.equal(text === 'Digest' ? undefined : parseAuthHeader(text), undefined, text)
  }
})

test('any bytes are the same after becoming text and bytes again, and take the room reckoned', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = textOf(Buffer.from(bytes))
      const back = Buffer.alloc(textBytes(text))
      assert.equal(writeText(back, text, 0), bytes.length)
      assert.deepEqual(new Uint8Array(back), bytes)
    }),
    { numRuns: 1000 },
  )
})

test('a text is not cut off in the middle of a character', () => {
  assert.equal(beginningOf('ab📞c', 3), 'ab')
  assert.equal(beginningOf('ab📞c', 4), 'ab📞')
  assert.equal(beginningOf('ab📞', 4), 'ab📞')
  assert.equal(beginningOf('ab\ud83d', 3), 'ab\ud83d')
  assert.equal(beginningOf('a', 3), 'a')
})

test('a list holds exactly the elements that it is split into', () => {
  const piece = fc.constantFrom('timer', 'tim', '100rel', ' ', '\t', ',', '"', '<', '>', 'timer,')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('timer', '100rel', 'tim'), (pieces, element) => {
      const text = pieces.join('')
      assert.equal(listHolds(text, element), splitList(text).includes(element))
    }),
    { numRuns: 2000 },
  )
})
