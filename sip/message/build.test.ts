import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import { type Abilities, checkRequest } from '#sip/message/check.ts'
import { SipHeaders } from '#sip/message/headers.ts'
import { serialize } from '#sip/message/serialize.ts'

const BASE: [string, string][] = [
  ['Via', 'SIP/2.0/UDP a;branch=z9hG4bK1'],
  ['Via', 'SIP/2.0/UDP b;branch=z9hG4bK2'],
  ['Record-Route', '<sip:p@b;lr>'],
  ['Timestamp', '54'],
  ['From', '<sip:a@x>;tag=1'],
  ['To', '<sip:b@x>'],
  ['Call-ID', 'c'],
  ['CSeq', '7 INVITE'],
  ['Subject', 'x'],
]

function request(method = 'INVITE', extra: [string, string][] = [], body?: Uint8Array, uri = 'sip:b@x') {
  return buildRequest({ method, uri, headers: [...BASE, ...extra], body })
}

function lines(bytes: Buffer): string[] {
  return bytes.toString().split('\r\n')
}

test('a response copies what RFC 3261 §8.2.6 names and tags To', () => {
  assert.deepEqual(lines(serialize(buildResponse(request(), 200, undefined, { toTag: 't', headers: [['Contact', '<sip:us@h>']] }))), [
    'SIP/2.0 200 OK',
    'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
    'Via: SIP/2.0/UDP b;branch=z9hG4bK2',
    'Record-Route: <sip:p@b;lr>',
    'From: <sip:a@x>;tag=1',
    'To: <sip:b@x>;tag=t',
    'Call-ID: c',
    'CSeq: 7 INVITE',
    'Contact: <sip:us@h>',
    'Content-Length: 0',
    '',
    '',
  ])
})

test('a 100 carries the Timestamp and no tag, a 404 neither Timestamp nor Record-Route', () => {
  const trying = buildResponse(request(), 100, undefined, { toTag: 't' }).headers
  assert.deepEqual([trying.get('timestamp'), trying.to.tag, trying.has('record-route')], ['54', undefined, false])
  const missing = buildResponse(request(), 404, undefined, { toTag: 't' })
  assert.deepEqual([missing.reason, missing.headers.has('timestamp'), missing.headers.has('record-route')], ['Not Found', false, false])
})

test('a tag that is there already stays', () => {
  const inDialog = buildRequest({
    method: 'BYE',
    uri: 'sip:b@x',
    headers: BASE.map(([n, v]) => [n, n === 'To' ? `${v};tag=old` : v] as const),
  })
  assert.equal(buildResponse(inDialog, 200, undefined, { toTag: 'new' }).headers.to.tag, 'old')
})

test('Content-Length is the true length of the body, whatever a header claims', () => {
  const bytes = serialize(
    request(
      'INVITE',
      [
        ['Content-Length', '999'],
        ['l', '1'],
      ],
      Buffer.from('Жёлтый'),
    ),
  )
  assert.deepEqual(
    lines(bytes).filter((line) => /length|^l:/i.test(line)),
    ['Content-Length: 12'],
  )
  assert.equal(bytes.toString().split('\r\n\r\n')[1], 'Жёлтый')
})

test('no line can be injected through a value, a reason, a method or a URI', () => {
  const message = request('INVITE', [['Subject', 'a\r\nEvil: 1\n\rEvil: 2']])
  assert.ok(!lines(serialize(message)).some((line) => line.startsWith('Evil')))
  assert.ok(!lines(serialize(buildResponse(message, 486, 'Busy\r\nEvil: 1'))).some((line) => line.startsWith('Evil')))
  assert.throws(() => request('IN VITE'))
  assert.throws(() => request('INVITE', [], undefined, 'sip:a@x SIP/2.0\r\nEvil: 1'))
  assert.throws(() => request('INVITE', [['Evil: 1\r\nX', 'y']]))
})

test('headers change in place and their typed views follow', () => {
  const headers = SipHeaders.of(BASE)
  assert.equal(headers.via.branch, 'z9hG4bK1')
  headers.prepend('v', 'SIP/2.0/TCP c;branch=z9hG4bK0')
  assert.deepEqual([headers.via.transport, headers.vias.length], ['TCP', 3])
  headers.replaceFirst('Via', 'SIP/2.0/WS d;branch=z9hG4bK9')
  assert.deepEqual(
    headers.vias.map((via) => via.transport),
    ['WS', 'UDP', 'UDP'],
  )
  headers.set('via', 'SIP/2.0/UDP e')
  assert.equal(headers.lines('Via').length, 1)
  headers.remove('V')
  assert.throws(() => headers.via)
  const copy = headers.copy()
  copy.set('X-New', '1')
  assert.deepEqual([headers.has('x-new'), copy.get('x-new')], [false, '1'])
})

const ABILITIES: Abilities = {
  methods: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'MESSAGE'],
  extensions: ['timer'],
  accept: { INVITE: ['application/sdp'] },
  schemes: ['sip', 'tel'],
}
const SDP = Buffer.from('v=0')

const checks: [what: string, message: ReturnType<typeof request>, status: number | null, header?: string][] = [
  ['a plain INVITE', request(), null],
  ['a method that we do not serve', request('PUBLISH'), 405, 'INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE'],
  ['a method that nobody knows', request('FROB'), 501, 'INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE'],
  ['an unknown scheme', request('INVITE', [], undefined, 'soap.beep://h'), 416],
  ['a tel URI', request('INVITE', [], undefined, 'tel:+15551234567'), null],
  ['an INVITE without hops left', request('INVITE', [['Max-Forwards', '0']]), 483],
  ['an OPTIONS without hops left', request('OPTIONS', [['Max-Forwards', '0']]), null],
  ['an extension that we lack', request('INVITE', [['Require', 'timer, 100REL']]), 420, '100rel'],
  ['an extension that we have', request('INVITE', [['Require', 'Timer']]), null],
  ['CANCEL with Require', request('CANCEL', [['Require', 'x']]), null],
  [
    'ACK with anything',
    request('ACK', [
      ['Require', 'x'],
      ['Max-Forwards', '0'],
    ]),
    null,
  ],
  ['a foreign body', request('INVITE', [['Content-Type', 'text/html']], SDP), 415, 'application/sdp'],
  ['a body of no type', request('INVITE', [], SDP), 415, 'application/sdp'],
  [
    'a foreign body that is optional',
    request(
      'INVITE',
      [
        ['Content-Type', 'a/b'],
        ['Content-Disposition', 'x; Handling=optional'],
      ],
      SDP,
    ),
    null,
  ],
  [
    'a compressed body',
    request(
      'INVITE',
      [
        ['Content-Type', 'application/sdp'],
        ['e', 'gzip'],
      ],
      SDP,
    ),
    415,
    'identity',
  ],
  ['a MESSAGE of any type', request('MESSAGE', [['Content-Type', 'text/html']], SDP), null],
  ['an Accept without SDP', request('INVITE', [['Accept', 'text/plain']]), 406, 'application/sdp'],
  ['an Accept with a range', request('INVITE', [['Accept', 'text/plain, application/*;q=0.1']]), null],
]
for (const [what, message, status, header] of checks) {
  test(`${what} ${status === null ? 'passes the check' : `is refused with ${status}`}`, () => {
    const refusal = checkRequest(message, ABILITIES)
    assert.equal(refusal?.status ?? null, status)
    if (header !== undefined) assert.equal(refusal?.headers[0]?.[1], header)
  })
}
