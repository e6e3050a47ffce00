import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { stunAnswer } from '#sip/transport/stun.ts'
import { type Sighting, StunClient } from '#sip/transport/stun-client.ts'

const server = { host: '192.0.2.9', port: 3_478 }

function asking() {
  const clock = new VirtualClock()
  const sent: { at: number; bytes: Buffer }[] = []
  const client = new StunClient(clock, countingRandom(), (bytes) => void sent.push({ at: clock.now(), bytes: Buffer.from(bytes) }))
  const found: Sighting[] = []
  void client.ask(server, 9_000).then((sighting) => found.push(sighting))
  const last = (): Buffer => sent.at(-1)?.bytes ?? assert.fail('nothing was sent')
  return { clock, client, sent, found, last, settled: () => clock.advanceAsync(0) }
}

/** An answer with these attributes, in hexadecimal. */
function answerTo(request: Buffer, attributes: string, type = '0101'): Buffer {
  const length = (attributes.length / 2).toString(16).padStart(4, '0')
  return Buffer.from(`${type}${length}2112a442${request.toString('hex', 8, 20)}${attributes}`, 'hex')
}

test('a request is sent at 0, 0.5, 1.5, 3.5, 7.5 s until it is answered, and given up in time', async () => {
  const { clock, sent, found } = asking()
  await clock.advanceAsync(8_999)
  assert.deepEqual([sent.map(({ at }) => at), found], [[0, 500, 1_500, 3_500, 7_500], []])
  await clock.advanceAsync(1)
  assert.deepEqual([found, clock.pending], [[{ kind: 'unseen', why: 'no answer' }], 0])
  assert.ok(
    sent.every(({ bytes }) => bytes.equals(sent[0]?.bytes ?? Buffer.alloc(0))),
    'the same each time',
  )
})

test('our own server’s answer tells where we were seen, by IPv4 and IPv6', async () => {
  for (const address of ['203.0.113.7', '2001:db8::7']) {
    const { client, found, last, settled, clock } = asking()
    client.receive(stunAnswer(last(), { address, port: 40_123 }) ?? assert.fail(), server)
    await settled()
    assert.deepEqual([found, clock.pending], [[{ kind: 'seen', at: { host: address, port: 40_123 }, other: null }], 0])
  }
})

test('the answers of RFC 5769 §2.2 and §2.3 are read as they are meant', async () => {
  for (const [attribute, host] of [
    ['002000080001a147e112a643', '192.0.2.1'],
    ['002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9', '2001:db8:1234:5678:11:2233:4455:6677'],
  ] as const) {
    const { client, found, last, settled } = asking()
    const request = last()
    // The vectors are of one transaction id, which the address is hidden by.
    const id = 'b7e7a701bc34d686fa87dfae'
    const ours = request.toString('hex', 8, 20)
    const unhidden = Buffer.from(attribute, 'hex')
    for (let i = 12; i < unhidden.length; i++)
      unhidden[i] =
        (unhidden[i] ?? 0) ^
        parseInt(id.slice(2 * (i - 12), 2 * (i - 12) + 2), 16) ^
        parseInt(ours.slice(2 * (i - 12), 2 * (i - 12) + 2), 16)
    client.receive(answerTo(request, unhidden.toString('hex')), server)
    await settled()
    assert.deepEqual(found, [{ kind: 'seen', at: { host, port: 32_853 }, other: null }])
  }
})

test('older servers say it in MAPPED-ADDRESS, and a second address of theirs is heard', async () => {
  const { client, found, last, settled } = asking()
  client.receive(answerTo(last(), '0001000800010bb8cb007107' + '00050008' + '00010d97c0000263'), server)
  await settled()
  assert.deepEqual(found, [{ kind: 'seen', at: { host: '203.0.113.7', port: 3_000 }, other: { host: '192.0.2.99', port: 3_479 } }])
})

test('what comes from elsewhere, answers nothing, or holds what must be understood and is not, is passed over; a refusal is not', async () => {
  const { client, found, last, settled } = asking()
  const good = answerTo(last(), '002000080001a147e112a643')
  const other = Buffer.from(good)
  other[19] = (other[19] ?? 0) ^ 1
  client.receive(good, { ...server, port: 3_479 })
  client.receive(good, { ...server, host: '192.0.2.8' })
  client.receive(other, server)
  client.receive(answerTo(last(), '002000080001a147e112a643' + '7ffe000400000000'), server)
  client.receive(answerTo(last(), '00200008000aa147e112a643'), server)
  client.receive(answerTo(last(), '0020000800'), server)
  client.receive(answerTo(last(), '', '0001'), server)
  await settled()
  assert.deepEqual(found, [])
  client.receive(answerTo(last(), '000900040000040100', '0111').subarray(0, 28), server)
  await settled()
  assert.deepEqual(found, [{ kind: 'unseen', why: 'it refuses to say' }])
})

test('any bytes after an honest header are read or passed over', () => {
  const { client, last } = asking()
  const request = last()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, fits) => {
      const all = Buffer.concat([answerTo(request, ''), bytes])
      if (fits) all.writeUInt16BE(bytes.length, 2)
      client.receive(all, server)
    }),
  )
})
