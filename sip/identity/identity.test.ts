import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { alertInfo } from '#sip/identity/alert-info.ts'
import { readCaller, userOfAddress } from '#sip/identity/caller.ts'
import { diversionsOf, formatDiversion } from '#sip/identity/diversion.ts'
import { formatHistory } from '#sip/identity/history-info.ts'
import { formatIdentity, parseIdentity } from '#sip/identity/identity-header.ts'
import { canonicalNumber, decodePassport, encodeDiversion, encodePassport } from '#sip/identity/passport.ts'
import { hidesCaller, privacyOf } from '#sip/identity/privacy.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import { parseNameAddrs } from '#sip/message/name-addr.ts'

type Line = readonly [string, string]

function headers(lines: readonly Line[], from = '<sip:+79160000001@carrier.example>'): SipHeaders {
  return buildRequest({ method: 'INVITE', uri: 'sip:a@b', headers: [['From', `${from};tag=1`], ['To', '<sip:a@b>'], ...lines] }).headers
}

const order = ['pai', 'ppi', 'rpid', 'from'] as const

test('the caller is the first identity of the order that is there, whatever the others say', () => {
  const pai: Line = ['P-Asserted-Identity', '"A" <sip:+79160000002@x>, <tel:+79160000009>']
  const ppi: Line = ['P-Preferred-Identity', '<sip:+79160000003@x>']
  const rpid: Line = ['Remote-Party-ID', '<sip:+79160000004@x>;party=calling;screen=yes;privacy=off']
  const table: [readonly Line[], readonly ('pai' | 'ppi' | 'rpid' | 'from')[], string][] = [
    [[pai, ppi, rpid], order, '2'],
    [[ppi, rpid], order, '3'],
    [[rpid], order, '4'],
    [[], order, '1'],
    [[pai, ppi, rpid], ['from'], '1'],
    [[pai, ppi, rpid], ['rpid', 'pai'], '4'],
    [[pai], [], '1'],
    [[['Remote-Party-ID', '<sip:+79160000004@x>;party=called']], order, '1'],
    [[['P-Asserted-Identity', '<sip:exchange@x>, <tel:+79160000009>']], order, '9'],
    [[['P-Asserted-Identity', '"unclosed <sip:x']], order, '1'],
  ]
  for (const [lines, by, last] of table) {
    const found = readCaller(headers(lines), by)
    assert.equal(userOfAddress(found.address)?.at(-1), last, JSON.stringify([lines, by]))
    assert.equal(found.hidden, false)
  }
})

test('who asks not to be shown is hidden: Privacy id, user and header, an anonymous From, Remote-Party-ID privacy', () => {
  for (const value of ['id', 'user', 'header', 'id;critical', 'critical; ID', 'session, id'])
    assert.equal(readCaller(headers([['Privacy', value]]), order).hidden, true, value)
  for (const value of ['none', 'critical', 'history', 'idle', 'none;id'])
    assert.equal(readCaller(headers([['Privacy', value]]), order).hidden, false, value)
  for (const from of ['"x" <sip:anonymous@anonymous.invalid>', '<sip:Restricted@carrier.example>', '<sip:1@anonymous.invalid>'])
    assert.equal(readCaller(headers([], from), order).hidden, true, from)
  const withheld = (privacy: string): SipHeaders => headers([['Remote-Party-ID', `<sip:+79160000004@x>;privacy=${privacy}`]])
  assert.equal(readCaller(withheld('full'), order).hidden, true)
  assert.equal(readCaller(withheld('"uri"'), order).hidden, true)
  assert.equal(readCaller(withheld('off'), order).hidden, false)
  assert.equal(hidesCaller(privacyOf(headers([]))), false)
})

test('Diversion tells whom the call had been meant for, the latest first, with each reason of RFC 5806', () => {
  const read = (value: string) => diversionsOf(headers([['Diversion', value]]))
  assert.deepEqual(read('<sip:+74950000101@x>;reason=user-busy;counter=1, <tel:+74950000102>;reason="no-answer";privacy=full'), [
    { user: '+74950000101', reason: 'user-busy', hidden: false },
    { user: '+74950000102', reason: 'no-answer', hidden: true },
  ])
  assert.deepEqual(read('<sip:+74950000101@x>;reason=because'), [{ user: '+74950000101', reason: 'unknown', hidden: false }])
  assert.deepEqual(read('nonsense'), [])
  assert.deepEqual(read('<sip:x>'), [])
  const written = formatDiversion('sip:+74950000101@x', 'time-of-day')
  assert.equal(written, '<sip:+74950000101@x>;reason=time-of-day;counter=1;privacy=off')
  assert.deepEqual(read(written), [{ user: '+74950000101', reason: 'time-of-day', hidden: false }])
  assert.equal(read(Array.from({ length: 30 }, (_, i) => `<sip:${i}@x>`).join(', ')).length, 10)
})

test('History-Info tells the same: by mp, by cause, with the privacy of an entry and of the request', () => {
  const read = (...lines: Line[]) => diversionsOf(headers(lines))
  // Two diversions: 1001 was busy, 1002 did not answer; the last entry only found a contact.
  const history =
    '<sip:1001@x?Reason=SIP%3Bcause%3D486>;index=1, <sip:1002@x;cause=486?Privacy=history>;index=1.1;mp=1, ' +
    '<sip:1003@x;cause=408>;index=1.1.1;mp=1.1, <sip:1003@192.0.2.7>;index=1.1.1.1;rc=1.1.1'
  assert.deepEqual(read(['History-Info', history]), [
    { user: '1002', reason: 'no-answer', hidden: true },
    { user: '1001', reason: 'user-busy', hidden: false },
  ])
  assert.ok(read(['History-Info', history], ['Privacy', 'history']).every((each) => each.hidden))
  assert.deepEqual(read(['History-Info', '<sip:1001@x>;index=1, <sip:1002@y>;index=1.1']), [])
  assert.deepEqual(read(['History-Info', '<sip:1@x>;index=1;mp=9']), [])
  const written = formatHistory({ user: '+74950000101', host: 'x' }, { user: '+79160000005', host: 'y' }, 'no-answer')
  assert.deepEqual(written, ['<sip:+74950000101@x?Reason=SIP%3Bcause%3D408>;index=1', '<sip:+79160000005@y;cause=408>;index=1.1;mp=1'])
  assert.deepEqual(read(['History-Info', written.join(', ')]), [{ user: '+74950000101', reason: 'no-answer', hidden: false }])
  assert.ok(parseNameAddrs(written) !== undefined)
})

test('Alert-Info holds names of rings and nothing that could spill into another header', () => {
  assert.equal(alertInfo('internal'), '<urn:alert:source:internal>;info=alert-internal')
  assert.equal(alertInfo('Bellcore-dr3'), '<http://alert.invalid/Bellcore-dr3>;info=Bellcore-dr3')
  for (const name of ['', 'a b', 'x>', 'x\r\nRoute: <sip:evil>', 'x;y', '"', 'a'.repeat(40)]) assert.equal(alertInfo(name), null, name)
})

test('an Identity value is read with its parameters in any order, and refused when a part is missing', () => {
  const token = 'aGVhZA.Ym9keQ.c2ln'
  assert.deepEqual(parseIdentity(formatIdentity(token, 'https://cert.example/a;b.pem', 'shaken')), {
    token,
    info: 'https://cert.example/a;b.pem',
    alg: 'es256',
    ppt: 'shaken',
  })
  assert.deepEqual(parseIdentity(`${token};ppt=DIV ; info = <https://c>`), { token, info: 'https://c', alg: 'es256', ppt: 'div' })
  for (const wrong of [
    '',
    token,
    `${token};info=https://c`,
    `a.b;info=<https://c>`,
    `${token};info=<https://c>;;`,
    `${token}info=<https://c>`,
  ])
    assert.equal(parseIdentity(wrong), null, wrong)
  assert.equal(parseIdentity(`${'a'.repeat(5000)}.b.c;info=<https://c>`), null)
})

test('a PASSporT is written as RFC 8225 wants it signed, and read back', () => {
  const claims = {
    x5u: 'https://cert.example/c.pem',
    iat: 1443208345,
    orig: '12155551212',
    dest: '12155551213',
    attest: 'A',
    origid: '1-2',
  } as const
  const [head = '', body = ''] = encodePassport(claims).split('.')
  assert.equal(
    Buffer.from(head, 'base64url').toString(),
    '{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://cert.example/c.pem"}',
  )
  assert.equal(
    Buffer.from(body, 'base64url').toString(),
    '{"attest":"A","dest":{"tn":["12155551213"]},"iat":1443208345,"orig":{"tn":"12155551212"},"origid":"1-2"}',
  )
  const read = decodePassport(`${head}.${body}.AAEC`)
  const { orig, dest, iat, attest, origid, ppt } = read?.passport ?? assert.fail()
  assert.deepEqual([orig, dest, iat, attest, origid, ppt], ['12155551212', ['12155551213'], 1443208345, 'A', '1-2', 'shaken'])
  assert.deepEqual([...(read?.signature ?? [])], [0, 1, 2])
  for (const wrong of ['', '..sig', `${head}.${body}`, `${head}.${body}.a.b`, `${body}.${head}.a`, 'W10.W10.a', 'bm8.bm8.a'])
    assert.equal(decodePassport(wrong), null, wrong)
  assert.equal(canonicalNumber('+1 (215) 555-1212'), '12155551212')
  assert.equal(canonicalNumber('alice'), null)
})

test('a PASSporT of a diversion has the form of RFC 8946 §3', () => {
  const claims = { x5u: 'https://cert.example/c.pem', iat: 1443208345, orig: '12155551212', dest: '12155551214', div: '12155551213' }
  const [head = '', body = ''] = encodeDiversion(claims).split('.')
  assert.equal(Buffer.from(head, 'base64url').toString(), '{"alg":"ES256","ppt":"div","typ":"passport","x5u":"https://cert.example/c.pem"}')
  assert.equal(
    Buffer.from(body, 'base64url').toString(),
    '{"dest":{"tn":["12155551214"]},"div":{"tn":"12155551213"},"iat":1443208345,"orig":{"tn":"12155551212"}}',
  )
  const { div, dest, ppt } = decodePassport(`${head}.${body}.AAEC`)?.passport ?? assert.fail()
  assert.deepEqual([div, dest, ppt], ['12155551213', ['12155551214'], 'div'])
})

test('whatever stands in these headers, reading them ends and throws nothing', () => {
  const names = ['Privacy', 'P-Asserted-Identity', 'Remote-Party-ID', 'Diversion', 'History-Info', 'P-Preferred-Identity'] as const
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.constantFrom(...names), (value, name) => {
      const all = headers([[name, value]])
      readCaller(all, order)
      diversionsOf(all)
      parseIdentity(value)
      decodePassport(value)
    }),
  )
})
