import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ipv6, readAnswer, writeQuestion } from '#sip/location/dns-message.ts'

const label = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
const name = (dotted: string): Buffer => Buffer.concat([...dotted.split('.').map(label), Buffer.from([0])])
const u16 = (...values: number[]): Buffer => Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 0xff])))
const record = (owner: Buffer, type: number, ttl: number, data: Buffer): Buffer =>
  Buffer.concat([owner, u16(type, 1, ttl >> 16, ttl & 0xffff, data.length), data])
const reply = (flags: number, question: string, type: number, answers: Buffer[]): Buffer =>
  Buffer.concat([u16(77, flags, 1, answers.length, 0, 0), name(question), u16(type, 1), ...answers])
const denial = (question: string, type: number, soa: Buffer): Buffer =>
  Buffer.concat([u16(77, 0x8183, 1, 0, 1, 0), name(question), u16(type, 1), soa])
/** To the question's name, which stands right behind the header. */
const pointer = Buffer.from([0xc0, 12])

test('a question is written as RFC 1035 §4.1 draws it, with room for a larger answer', () => {
  const bytes = writeQuestion(0x1234, 'sip.example', 'A')
  assert.equal(
    Buffer.from(bytes ?? []).toString('hex'),
    `123401000001000000000001${name('sip.example').toString('hex')}00010001` + '00002904d0000000000000',
  )
  for (const bad of ['', 'a..b', `${'x'.repeat(64)}.example`, 'x.'.repeat(130)]) assert.equal(writeQuestion(1, bad, 'A'), undefined)
})

test('answers are read through aliases and pointers, with the lowest TTL on the way', () => {
  const alias = record(pointer, 5, 30, name('real.example'))
  const address = record(name('real.example'), 1, 300, Buffer.from([192, 0, 2, 1]))
  const stranger = record(name('other.example'), 1, 300, Buffer.from([192, 0, 2, 66]))
  const asked = { id: 77, name: 'WWW.example.', type: 'A' } as const
  assert.deepEqual(readAnswer(reply(0x8180, 'www.Example', 1, [alias, address, stranger]), asked), {
    kind: 'records',
    records: [{ type: 'A', address: '192.0.2.1' }],
    ttl: 30,
  })
})

test('SRV and NAPTR are read field by field', () => {
  const srv = record(pointer, 33, 60, Buffer.concat([u16(10, 20, 5061), name('Edge.Example')]))
  assert.deepEqual(readAnswer(reply(0x8180, '_sips._tcp.x', 33, [srv]), { id: 77, name: '_sips._tcp.x', type: 'SRV' }), {
    kind: 'records',
    records: [{ type: 'SRV', priority: 10, weight: 20, port: 5061, target: 'edge.example' }],
    ttl: 60,
  })
  const naptr = record(pointer, 35, 60, Buffer.concat([u16(1, 2), label('s'), label('SIPS+D2T'), label(''), name('_sips._tcp.x')]))
  assert.deepEqual(readAnswer(reply(0x8180, 'x', 35, [naptr]), { id: 77, name: 'x', type: 'NAPTR' }), {
    kind: 'records',
    records: [{ type: 'NAPTR', order: 1, preference: 2, flags: 's', service: 'SIPS+D2T', regexp: '', replacement: '_sips._tcp.x' }],
    ttl: 60,
  })
})

test('that there is nothing is believed as long as the zone says; what is no answer to the question is none', () => {
  const soa = record(name('example'), 6, 600, Buffer.concat([name('ns.example'), name('me.example'), u16(0, 1, 0, 2, 0, 3, 0, 4, 0, 90)]))
  const asked = { id: 77, name: 'x.example', type: 'A' } as const
  assert.deepEqual(readAnswer(denial('x.example', 1, soa), asked), { kind: 'none', ttl: 90 })
  assert.deepEqual(readAnswer(reply(0x8182, 'x.example', 1, []), asked), { kind: 'failed', why: 'the name server answered 2' })
  assert.equal(readAnswer(reply(0x8380, 'x.example', 1, []), asked), 'truncated')
  assert.equal(readAnswer(reply(0x8180, 'y.example', 1, []), asked), undefined)
  assert.equal(readAnswer(reply(0x8180, 'x.example', 28, []), asked), undefined)
  assert.equal(readAnswer(reply(0x0180, 'x.example', 1, []), asked), undefined)
  assert.equal(readAnswer(reply(0x8180, 'x.example', 1, []), { ...asked, id: 78 }), undefined)
})

test('any bytes give an answer or none, pointers in circles included', () => {
  const asked = { id: 77, name: 'x.example', type: 'SRV' } as const
  const whole = reply(0x8180, 'x.example', 33, [record(pointer, 33, 60, Buffer.concat([u16(1, 2, 3), Buffer.from([0xc0, 12])]))])
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(whole.length), (changes, length) => {
      const bytes = Buffer.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      readAnswer(bytes.subarray(0, length), asked)
    }),
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void readAnswer(bytes, asked)))
  const circle = reply(0x8180, 'x.example', 33, [record(Buffer.from([0xc0, 27]), 33, 60, Buffer.from([0xc0, 27]))])
  assert.equal(readAnswer(circle, asked)?.valueOf().constructor, Object)
})

test('IPv6 addresses are written as RFC 5952 wants them', () => {
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
  assert.equal(ipv6(bytes('20010db8000000000000000000000001')), '2001:db8::1')
  assert.equal(ipv6(bytes('00000000000000000000000000000001')), '::1')
  assert.equal(ipv6(bytes('00000000000000000000000000000000')), '::')
  assert.equal(ipv6(bytes('20010db8000000010000000000000000')), '2001:db8:0:1::')
  assert.equal(ipv6(bytes('20010db8000100020003000400050006')), '2001:db8:1:2:3:4:5:6')
  assert.equal(ipv6(bytes('20010db8000000000001000000000001')), '2001:db8::1:0:0:1')
  assert.equal(ipv6(bytes('20100db8000000000001000100010010')), '2010:db8::1:1:1:10')
})
