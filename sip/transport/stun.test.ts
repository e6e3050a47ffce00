import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isStun, stunAnswer } from '#sip/transport/stun.ts'

const id = 'b7e7a701bc34d686fa87dfae'
const request = (attributes = ''): Buffer =>
  Buffer.from(`0001${(attributes.length / 2).toString(16).padStart(4, '0')}2112a442${id}${attributes}`, 'hex')

test('a binding request is told where it came from, in the words of RFC 5769 §2.2 and §2.3', () => {
  const v4 = stunAnswer(request(), { address: '192.0.2.1', port: 32_853 })
  assert.equal(v4?.toString('hex'), `0101000c2112a442${id}002000080001a147e112a643`)
  const v6 = stunAnswer(request(), { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32_853 })
  assert.equal(v6?.toString('hex'), `010100182112a442${id}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`)
})

test('short forms of IPv6 addresses are the same address', () => {
  const of = (address: string): string | undefined => stunAnswer(request(), { address, port: 1 })?.toString('hex')
  assert.equal(of('::1'), of('0:0:0:0:0:0:0:1'))
  assert.equal(of('fe80::1%eth0'), of('fe80:0:0:0:0:0:0:1'))
  assert.equal(of('::ffff:10.0.0.1'), of('0:0:0:0:0:ffff:a00:1'))
})

test('optional attributes are passed over, one that must be understood is refused by name', () => {
  assert.equal(stunAnswer(request('8022000461626364'), { address: '10.0.0.1', port: 1 })?.readUInt16BE(0), 0x0101)
  const refused = stunAnswer(request('0003000400000006'), { address: '10.0.0.1', port: 1 })
  assert.equal(refused?.readUInt16BE(0), 0x0111)
  assert.ok(refused?.includes(Buffer.from('000a000200030000', 'hex')))
})

test('what is no binding request gets no answer: SIP, answers, lengths that do not fit', () => {
  const nobody = { address: '10.0.0.1', port: 1 }
  for (const bytes of [
    Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n'),
    Buffer.from(`0101000021 12a442${id}`.replaceAll(' ', ''), 'hex'),
    Buffer.from(`000100042112a442${id}`, 'hex'),
    Buffer.from(`0001000021 12a443${id}`.replaceAll(' ', ''), 'hex'),
    request('80220010'),
  ])
    assert.equal(stunAnswer(bytes, nobody), null)
})

test('any bytes give an answer of bounded size or none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, honest) => {
      const all = honest ? Buffer.concat([request().subarray(0, 20), bytes]) : Buffer.from(bytes)
      if (honest) all.writeUInt16BE(bytes.length, 2)
      const answer = stunAnswer(all, { address: '10.0.0.1', port: 1 })
      assert.ok(answer === null || (isStun(all) && answer.length <= 48 + 2 * all.length))
    }),
  )
})
