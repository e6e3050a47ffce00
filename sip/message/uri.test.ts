import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatUri, parseSipUri, parseUri, sipUri } from '#sip/message/uri.ts'
import { sameUri } from '#sip/message/uri-compare.ts'

function same(a: string, b: string): boolean {
  const [left, right] = [parseUri(a), parseUri(b)]
  assert.ok(left !== undefined && right !== undefined, `${a} ${b}`)
  assert.equal(sameUri(left, right), sameUri(right, left), 'comparison must be symmetric')
  return sameUri(left, right)
}

// The examples of RFC 3261 §19.1.4, and what follows from its rules.
const equivalent: [string, string][] = [
  ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
  [
    'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
    'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
  ],
  ['sip:alice@atlanta.com?subject=project%20x&priority=urgent', 'sip:alice@atlanta.com?priority=urgent&subject=project%20x'],
  ['sip:a@[2001:DB8::1]', 'sip:a@[2001:db8::1]'],
  ['tel:+1-201-555-0123', 'tel:+1(201)5550123'],
]
for (const [a, b] of equivalent) test(`${a} is ${b}`, () => assert.ok(same(a, b)))

const different: [string, string][] = [
  ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
  ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
  ['sip:bob@biloxi.com:6000;transport=tcp', 'sip:bob@biloxi.com:6000'],
  ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
  ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
  ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
  ['sip:bob@biloxi.com', 'sips:bob@biloxi.com'],
  ['sip:a%2Bb@x', 'sip:a+b@x'],
  ['tel:7042;phone-context=example.com', 'tel:7042'],
]
for (const [a, b] of different) test(`${a} is not ${b}`, () => assert.ok(!same(a, b)))

const malformed = [
  '',
  'sip:',
  'sip:@x',
  'sip:a@',
  'sip:a b@x',
  'sip:a@x y',
  'sip:a@x;',
  'sip:a@x;;lr',
  'sip:a@x;lr;lr',
  'sip:a@x:',
  'sip:a@x:0',
  'sip:a@x:65536',
  'sip:a@x:+1',
  'sip:a@999.1.1.1',
  'sip:a@1.2.3',
  'sip:a@.x',
  'sip:a@a..b',
  'sip:2001:db8::10',
  'sip:[2001:db8:::1]',
  'sip:[::1',
  'sip:[fe80::1%eth0]',
  'sip:a%2@x',
  'sip:a%zz@x',
  'sip:a@b@c',
  'sip:a@x?',
  'sip:a@x?b',
  'sip:a<b@x',
  'sip:a"b@x',
  'sip:a@x\r\n',
  'tel:',
  'tel:+',
  'tel:+12a',
  'noscheme',
  '1a:b',
  'http:',
]
for (const text of malformed) test(`${JSON.stringify(text)} is no URI`, () => assert.equal(parseUri(text), undefined))

test('escapes in the user are undone once for reading and kept apart for the wire', () => {
  const uri = parseSipUri('sip:sips%3auser%40example.com%2541@example.net')
  assert.equal(uri?.user, 'sips:user@example.com%41')
  assert.equal(uri?.escapedUser, 'sips%3Auser%40example.com%2541')
})

test('a user may hold the characters of RFC 4475 that look like delimiters', () => {
  const uri = parseSipUri("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com")
  assert.deepEqual([uri?.host, uri?.user], ['example.com', "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"])
})

test('an IPv6 host stands in brackets on the wire only', () => {
  const uri = parseSipUri('sip:a@[2001:DB8::10]:5070;lr')
  assert.deepEqual([uri?.host, uri?.port], ['2001:db8::10', 5070])
  assert.equal(uri && formatUri(uri), 'sip:a@[2001:db8::10]:5070;lr')
})

test('letters that a phone left unescaped are escaped on the way out', () => {
  const uri = parseSipUri('sip:Жанна#1@example.com')
  assert.equal(uri?.user, 'Жанна#1')
  assert.equal(uri && formatUri(uri), 'sip:%D0%96%D0%B0%D0%BD%D0%BD%D0%B0%231@example.com')
})

test('no user can spill out of its part of a URI', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (user) => {
      fc.pre(user.isWellFormed())
      const uri = sipUri({ user, host: 'example.com', port: 5061 })
      const back = parseSipUri(formatUri(uri))
      assert.deepEqual([back?.user, back?.host, back?.port], [user, 'example.com', 5061])
    }),
  )
})

test('what parses is the same URI after formatting', () => {
  const part = fc.constantFrom(
    'sip:',
    'sips:',
    'tel:',
    'a',
    '@',
    'x.com',
    ':',
    '5060',
    ';lr',
    ';transport=tcp',
    '?a=b',
    '%41',
    '[::1]',
    '+1',
    '&',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const uri = parseUri(parts.join(''))
      fc.pre(uri !== undefined)
      const back = parseUri(formatUri(uri))
      assert.ok(back !== undefined && sameUri(uri, back))
    }),
    { numRuns: 1000 },
  )
})
