import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow } from '#sip/agent.ts'
import { SipTrace } from '#sip/trace.ts'
import { ladder } from '#sip/trace-ladder.ts'
import { PAGE_BYTES } from '#sip/trace-pages.ts'

const flowTo = (address: string): Flow => ({
  transport: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address, port: 5060 },
  connection: null,
})
const phone = flowTo('192.0.2.7')
const trunk = flowTo('198.51.100.1')

function message(startLine: string, more = ''): Buffer {
  const method = startLine.startsWith('SIP') ? 'INVITE' : startLine.split(' ')[0]
  return Buffer.from(
    `${startLine}\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\nCSeq: 7 ${method}\r\n${more}Content-Length: 0\r\n\r\n`,
  )
}

test('a call’s messages come back in order with direction, instant and flow', () => {
  const clock = new VirtualClock(1_000_000)
  const trace = new SipTrace(clock)
  trace.record('in', phone, message('INVITE sip:100@192.0.2.1 SIP/2.0'), 'c')
  clock.advance(20)
  trace.record('out', phone, message('SIP/2.0 180 Ringing'), 'c')
  assert.deepEqual(
    trace.of('c').map(({ direction, at, flow }) => ({ direction, at, flow })),
    [
      { direction: 'in', at: 1_000_000, flow: phone },
      { direction: 'out', at: 1_000_020, flow: phone },
    ],
  )
  trace.forget('c')
  assert.deepEqual([trace.of('c'), trace.bytes, trace.calls], [[], 0, 0])
})

test('credentials are masked, folded ones too, in any case, and nothing else is', () => {
  const trace = new SipTrace(new VirtualClock())
  const secret =
    'authorization : Digest username="alice",\r\n response="0123456789abcdef"\r\nProxy-Authorization: Digest response="fedcba"\r\nSubject: kept\r\n'
  trace.record('in', phone, message('INVITE sip:100@192.0.2.1 SIP/2.0', secret), 'c')
  const text = Buffer.from(trace.of('c')[0]?.bytes ?? []).toString()
  assert.ok(text.includes('authorization : ***\r\nProxy-Authorization: ***\r\nSubject: kept\r\n'))
  assert.ok(!/alice|0123|fedc/.test(text))
})

test('a long call loses its middle, not its beginning and its end', () => {
  const trace = new SipTrace(new VirtualClock(), { callMessages: 6 })
  for (let i = 0; i < 20; i++) trace.record('in', phone, Buffer.from(String(i)), 'c')
  assert.deepEqual(
    trace.of('c').map(({ bytes }) => Number(Buffer.from(bytes).toString())),
    [0, 1, 2, 17, 18, 19],
  )
})

test('keys of encrypted media are masked, however the line is written, and the suite stays readable', () => {
  const trace = new SipTrace(new VirtualClock())
  const key = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'
  const lines = [
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20|1:4`,
    `A = Crypto: 2 AES_CM_128_HMAC_SHA1_32 INLINE:${key}`,
    `a=crypto:${key}`,
    `k=base64:${key}`,
    `b=inline: ${key}`,
  ]
  trace.record(
    'in',
    phone,
    Buffer.from(`${message('INVITE sip:100@192.0.2.1 SIP/2.0').toString()}v=0\r\n${lines.join('\r\n')}\r\na=sendrecv\r\n`),
    'c',
  )
  const text = Buffer.from(trace.of('c')[0]?.bytes ?? []).toString()
  assert.doesNotMatch(text, /WVNf/)
  assert.match(text, /v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 \*\*\*\r\n/)
  assert.match(text, /a=sendrecv\r\n$/)
})

test('digits that a phone sends by INFO are masked: they may be a PIN', () => {
  const trace = new SipTrace(new VirtualClock())
  const digit = (body: string) => Buffer.from(`INFO sip:100@192.0.2.1 SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\n${body}`)
  trace.record('in', phone, digit('Signal=7\r\nDuration=160\r\n'), 'c')
  trace.record('in', phone, digit('signal: 7\r\n'), 'c')
  const [relayed, other] = trace.of('c').map(({ bytes }) => Buffer.from(bytes).toString())
  assert.match(relayed ?? '', /Signal=\*\r\nDuration=160\r\n$/)
  assert.match(other ?? '', /signal: \*\r\n$/)
})

test('what is dialled behind a code and its number is masked: it may be a PIN', () => {
  const trace = new SipTrace(new VirtualClock())
  for (const dialled of ['*11101*4711', '*11*4711', '%2A11101%234711', '*11101', '**101', '***701'])
    trace.record('in', phone, Buffer.from(`INVITE sip:${dialled}@192.0.2.1 SIP/2.0\r\nTo: <sip:${dialled}@192.0.2.1>\r\n\r\n`), 'c')
  const users = trace.of('c').map(({ bytes }) =>
    [
      ...Buffer.from(bytes)
        .toString()
        .matchAll(/sip:([^@]*)@/g),
    ].map(([, user]) => user),
  )
  assert.deepEqual(
    users.map(([uri, to]) => (uri === to ? uri : [uri, to])),
    ['*11101**', '*11**', '%2A11101%23*', '*11101', '**101', '***701'],
  )
})

test('the bytes of all calls stay within the bound, the oldest call going first', () => {
  const trace = new SipTrace(new VirtualClock(), { bytes: 20 * PAGE_BYTES })
  for (let i = 0; i < 100; i++) {
    trace.record('in', phone, Buffer.alloc(380), `call-${i}`)
    trace.keep(`call-${i}`)
  }
  assert.equal(trace.bytes, 20 * PAGE_BYTES)
  assert.equal(trace.calls, 20)
  assert.equal(trace.of('call-79').length, 0)
  assert.equal(trace.of('call-80').length, 1)
})

test('strangers have little room, and take none of those who have proved who they are', () => {
  const trace = new SipTrace(new VirtualClock(), { bytes: 20 * PAGE_BYTES, strangersBytes: 4 * PAGE_BYTES })
  trace.record('in', phone, message('INVITE sip:100@192.0.2.1 SIP/2.0'), 'phone')
  trace.record('out', phone, message('SIP/2.0 401 Unauthorized'), 'phone')
  trace.keep('phone')
  trace.record('out', trunk, message('INVITE sip:192.0.2.9 SIP/2.0'), 'ours')
  // Asked all day long.
  trace.record('out', trunk, message('OPTIONS sip:192.0.2.9 SIP/2.0'), 'probe')
  for (let i = 0; i < 100; i++) trace.record('in', trunk, Buffer.alloc(380), `stranger-${i}`)
  assert.deepEqual(
    ['phone', 'ours', 'probe', 'stranger-95', 'stranger-96'].map((callId) => trace.of(callId).length),
    [2, 1, 0, 0, 1],
  )
  assert.equal(Buffer.from(trace.of('phone')[0]?.bytes ?? []).toString(), message('INVITE sip:100@192.0.2.1 SIP/2.0').toString())
  for (let i = 96; i < 100; i++) trace.forget(`stranger-${i}`)
  assert.equal(trace.bytes, 2 * PAGE_BYTES)
  trace.forget('phone')
  trace.forget('ours')
  assert.deepEqual([trace.bytes, trace.calls], [0, 0])
})

test('a stranger who says something again is not dropped for it before it is known who it is', () => {
  const trace = new SipTrace(new VirtualClock(), { strangersBytes: 4 * PAGE_BYTES })
  const invite = message('INVITE sip:100@192.0.2.1 SIP/2.0')
  trace.record('in', phone, invite, 'phone')
  for (let i = 0; i < 3; i++) trace.record('in', trunk, Buffer.alloc(380), `stranger-${i}`)
  trace.record('in', phone, Buffer.concat([invite, Buffer.alloc(PAGE_BYTES)]), 'phone')
  trace.keep('phone')
  trace.record('out', phone, message('SIP/2.0 200 OK'), 'phone')
  assert.equal(trace.of('phone').length, 3)
  assert.equal(trace.of('stranger-0').length, 0)
})

test('the memory of calls that are gone is used for those that come', () => {
  const trace = new SipTrace(new VirtualClock(), { bytes: 20 * PAGE_BYTES, callMessages: 4 })
  trace.record('out', trunk, Buffer.alloc(1_000), 'first')
  const { room } = trace
  for (let i = 0; i < 1_000; i++)
    for (let n = 0; n < 6; n++) trace.record('out', n % 2 === 0 ? trunk : phone, Buffer.alloc(1_000, i % 256), `call-${i}`)
  assert.equal(trace.room, room)
  const last = trace.of('call-999')
  assert.deepEqual(
    last.map(({ flow }) => flow),
    [trunk, phone, trunk, phone],
  )
  assert.ok(last.every(({ bytes }) => bytes.length === 1_000 && bytes.every((byte) => byte === 999 % 256)))
})

test('nothing of a call that is gone comes up in one that comes after it, of one peer or of several, long or short', () => {
  const step = fc.record({
    call: fc.nat(9),
    peer: fc.constantFrom(trunk, phone),
    messages: fc.integer({ min: 1, max: 6 }),
    what: fc.constantFrom('record', 'record', 'record', 'keep', 'forget'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const trace = new SipTrace(new VirtualClock(), { bytes: 12 * PAGE_BYTES, strangersBytes: 4 * PAGE_BYTES, callMessages: 4 })
      /** All that was recorded of each since it was last unknown. */
      const model = new Map<string, [string, Flow][]>()
      let count = 0
      for (const { call, peer, messages, what } of steps) {
        const callId = `call-${call}`
        if (what === 'keep') trace.keep(callId)
        else if (what === 'forget') trace.forget(callId)
        for (let n = 0; what === 'record' && n < messages; n++) {
          if (trace.of(callId).length === 0) model.delete(callId)
          const text = `${callId} ${count++} `.padEnd(700, '.')
          trace.record('in', peer, Buffer.from(text), callId)
          if (!model.has(callId)) model.set(callId, [])
          model.get(callId)?.push([text, peer])
        }
        let known = 0
        for (const [each, said] of model) {
          const entries = trace.of(each).map(({ bytes, flow }) => [Buffer.from(bytes).toString(), flow] as [string, Flow])
          if (entries.length > 0) known++
          const expected = said.length <= 4 ? said : [...said.slice(0, 2), ...said.slice(-2)]
          if (entries.length > 0) assert.deepEqual(entries, expected)
          else model.delete(each)
        }
        assert.equal(trace.calls, known)
      }
    }),
  )
})

test('the Call-ID of a message is given even if its call has to go for it', () => {
  const trace = new SipTrace(new VirtualClock(), { bytes: 2 * PAGE_BYTES, strangersBytes: PAGE_BYTES })
  for (const callId of ['oldest', 'younger']) trace.record('out', phone, message('INVITE sip:100@192.0.2.1 SIP/2.0'), callId)
  assert.equal(trace.record('in', phone, Buffer.alloc(2 * PAGE_BYTES), 'oldest'), 'oldest')
  assert.equal(trace.record('in', phone, Buffer.alloc(2 * PAGE_BYTES), 'stranger'), 'stranger')
  assert.deepEqual([trace.of('oldest'), trace.of('stranger')], [[], []])
})

test('a response to what was not kept is not kept, and what is kept is a copy', () => {
  const trace = new SipTrace(new VirtualClock())
  trace.record('out', phone, message('SIP/2.0 401 Unauthorized'), 'unknown')
  assert.equal(trace.calls, 0)
  const bytes = message('INVITE sip:100@192.0.2.1 SIP/2.0')
  trace.record('in', phone, bytes, 'c')
  bytes.fill(0)
  assert.match(Buffer.from(trace.of('c')[0]?.bytes ?? []).toString(), /^INVITE /)
})

test('the ladder shows each message on a line of its own, each peer in a column of its own', () => {
  const clock = new VirtualClock()
  const trace = new SipTrace(clock)
  trace.record('in', phone, message('INVITE sip:100@192.0.2.1 SIP/2.0'), 'c')
  clock.advance(3)
  trace.record('out', trunk, message('INVITE sip:+100@198.51.100.1 SIP/2.0'), 'c')
  clock.advance(40)
  trace.record('in', trunk, message('SIP/2.0 180 Ringing'), 'c')
  trace.record('out', phone, Buffer.from('garbage\r\n\r\n'), 'c')
  assert.deepEqual(ladder(trace.of('c')).split('\n'), [
    '  seconds  192.0.2.7:5060/udp                            198.51.100.1:5060/udp',
    '    0.000  |<-- INVITE sip:100@192.0.2.1  7',
    '    0.003  |                                             |--> INVITE sip:+100@198.51.100.1  7',
    '    0.043  |                                             |<-- 180 Ringing (INVITE)  7',
    '    0.043  |--> malformed (start-line)',
  ])
  assert.equal(ladder([]), '')
})
