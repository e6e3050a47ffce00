import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countingRandom, type Random } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { buildResponse } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'
import { CALLEE, CALLER, pair, request, respondWith, Side } from '#sip/transaction/memory-pair.ts'
import { MemoryNetwork } from '#sip/transport/memory-transport.ts'

test('an INVITE gets its 100 at once, its answers in order, and its ACK goes up to whoever answered', () => {
  const { clock, caller, callee, assertClean } = pair()
  callee.answer = respondWith(180, 200)
  caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  clock.advance(10)
  assert.deepEqual(caller.seen, ['100', '180', '200'])
  caller.layer.acknowledge(request('ACK', 'a-call', { toTag: 'callee' }), caller.flowTo(CALLEE))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE', 'ACK'])
  assertClean()
})

test('a failed INVITE is acknowledged by the layers themselves', () => {
  const { clock, caller, callee, assertClean } = pair()
  callee.answer = respondWith(486)
  caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  clock.advance(20_000)
  assert.deepEqual(caller.seen, ['100', '486'])
  assert.deepEqual(callee.seen, ['INVITE'])
  assert.equal(callee.transport.arrived.filter((line) => line.startsWith('ACK')).length, 1)
  assertClean()
})

test('the ACK of a failure carries the branch, Request-URI and Routes of its INVITE and the To of the response', () => {
  const { clock, network, caller, callee } = pair()
  let ack = ''
  callee.answer = respondWith(404)
  const invite = request('INVITE')
  invite.headers.add('Route', '<sip:proxy.example.org;lr>')
  const branch = caller.layer.request(invite, caller.flowTo(CALLEE), caller.events).request?.headers.via.branch
  clock.advance(10)
  for (const entry of callee.trace.of('a-call')) {
    const text = Buffer.from(entry.bytes).toString()
    if (text.startsWith('ACK')) ack = text
  }
  assert.match(ack, /^ACK sip:100@192\.0\.2\.2 SIP\/2\.0\r\n/)
  assert.ok(ack.includes(`;branch=${branch}`))
  assert.ok(ack.includes('Route: <sip:proxy.example.org;lr>\r\n'))
  assert.ok(ack.includes('To: <sip:100@example.org>;tag=callee\r\n'))
  assert.ok(ack.includes('CSeq: 1 ACK\r\n'))
  assert.equal(network.weather.lossPercent, 0)
})

test('a transaction lets go of its request when the final response has been handed up', () => {
  const { clock, caller, callee } = pair()
  callee.answer = respondWith(180, 200)
  const sent = caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  assert.equal(sent.request?.method, 'INVITE')
  clock.advance(10)
  assert.deepEqual(caller.seen, ['100', '180', '200'])
  assert.equal(sent.request, null)
})

test('a repeated request is answered from memory and handed up once', () => {
  const { clock, caller, callee } = pair()
  callee.answer = respondWith(200)
  const bytes = serialize(request('OPTIONS', 'a-call', { via: `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bKsame` }))
  for (let i = 0; i < 3; i++) caller.transport.send(caller.flowTo(CALLEE), bytes)
  clock.advance(10)
  assert.deepEqual(callee.seen, ['OPTIONS'])
  assert.deepEqual(caller.transport.arrived, ['SIP/2.0 200 OK', 'SIP/2.0 200 OK', 'SIP/2.0 200 OK'])
  assert.equal(callee.layer.counts.repeatsIn, 2)
})

test('a request of an RFC 2543 sender, without the magic cookie, is matched by its fields', () => {
  const { clock, caller, callee } = pair()
  callee.answer = respondWith(486)
  const via = `SIP/2.0/UDP ${CALLER}:5060;branch=1`
  const flow = caller.flowTo(CALLEE)
  for (let i = 0; i < 2; i++) caller.transport.send(flow, serialize(request('INVITE', 'old', { via })))
  clock.advance(10)
  caller.transport.send(flow, serialize(request('ACK', 'old', { via, toTag: 'callee' })))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE'], 'the repetition and the ACK are absorbed')
  caller.transport.send(flow, serialize(request('INVITE', 'other', { via })))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE', 'INVITE'], 'the same branch in another call is another transaction')
})

test('a CANCEL waits for a provisional response, is answered 200, and ends the INVITE with 487', () => {
  const { clock, caller, callee, assertClean } = pair({ delayMs: 20 })
  callee.answer = respondWith(180)
  const invite = caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  invite.cancel([['Reason', 'SIP;cause=200;text="Call completed elsewhere"']])
  clock.advance(10)
  assert.ok(!callee.transport.arrived.some((line) => line.startsWith('CANCEL')))
  clock.advance(200)
  assert.deepEqual(callee.seen, ['INVITE', 'cancelled'])
  assert.deepEqual(caller.seen, ['100', '180', '487'])
  assert.equal(callee.transport.arrived.filter((line) => line.startsWith('CANCEL')).length, 1)
  const cancel = callee.trace.of('a-call').map((entry) => Buffer.from(entry.bytes).toString())
  assert.ok(cancel.some((text) => text.startsWith('CANCEL') && text.includes('Reason: SIP;cause=200')))
  assertClean()
})

test('an INVITE whose peer goes silent after the CANCEL fails 64·T1 later', () => {
  const { clock, network, caller, callee, assertClean } = pair()
  callee.answer = respondWith(180)
  const invite = caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  clock.advance(1_000)
  network.weather.lossPercent = 100
  invite.cancel()
  clock.advance(31_900)
  assert.deepEqual(caller.seen, ['100', '180'])
  clock.advance(200)
  assert.deepEqual(caller.seen, ['100', '180', 'failed: timeout'])
  for (const side of [callee]) side.layer.close()
  assertClean()
})

test('a CANCEL for nothing is answered 481, and so is one from another address than its INVITE', () => {
  const { clock, network, caller, callee } = pair()
  callee.answer = respondWith(180)
  const invite = caller.layer.request(request('INVITE'), caller.flowTo(CALLEE), caller.events)
  clock.advance(10)
  const attacker = new Side(network, '203.0.113.9')
  const branch = invite.request?.headers.via.branch ?? ''
  const forged = request('CANCEL', 'a-call', { via: `SIP/2.0/UDP ${CALLER}:5060;rport;branch=${branch}` })
  attacker.transport.send(attacker.flowTo(CALLEE), serialize(forged))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE'])
  assert.deepEqual(attacker.transport.arrived, ['SIP/2.0 481 Call/Transaction Does Not Exist'])
})

test('a copy of a request that came over another path gets 482, one with credentials after a challenge does not', () => {
  const { clock, caller, callee } = pair()
  callee.answer = respondWith(180)
  const copy = (branch: string, callId: string) =>
    serialize(request('INVITE', callId, { via: `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bK${branch}` }))
  const flow = caller.flowTo(CALLEE)
  caller.transport.send(flow, copy('path-1', 'forked'))
  caller.transport.send(flow, copy('path-2', 'forked'))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE'])
  assert.equal(caller.transport.arrived.at(-1), 'SIP/2.0 482 Loop Detected')
  callee.answer = respondWith(401)
  caller.transport.send(flow, copy('first', 'challenged'))
  caller.transport.send(flow, copy('second', 'challenged'))
  clock.advance(10)
  assert.deepEqual(callee.seen, ['INVITE', 'INVITE', 'INVITE'])
})

test('a request that comes again as often as an honest sender repeats it is no offence, one that comes oftener is', () => {
  const { clock, caller, callee } = pair()
  const repeated = serialize(request('REGISTER', 'a-call', { via: `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bKrepeated` }))
  const send = (): void => {
    caller.transport.send(caller.flowTo(CALLEE), repeated)
    clock.advance(10)
  }
  // Nobody answers within 32 s: Timer E has it sent 10 times more.
  for (let i = 0; i <= 10; i++) send()
  assert.deepEqual(callee.seen, ['REGISTER'])
  assert.deepEqual(callee.offences, [])
  send()
  assert.deepEqual(callee.offences, ['pointless'])
})

test('how often a request came before its answer counts after it, too', () => {
  const { clock, caller, callee } = pair()
  let pending: ServerTransaction | null = null
  callee.answer = (transaction) => (pending = transaction)
  const repeated = serialize(request('REGISTER', 'a-call', { via: `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bKrepeated` }))
  const send = (): void => {
    caller.transport.send(caller.flowTo(CALLEE), repeated)
    clock.advance(10)
  }
  for (let i = 0; i <= 8; i++) send()
  if (pending !== null) respondWith(200)(pending)
  for (let i = 0; i < 2; i++) send()
  assert.deepEqual(callee.offences, [])
  send()
  assert.deepEqual(callee.offences, ['pointless'])
})

test('above the bound new requests get 503 with Retry-After, requests in dialogs and emergency calls are served, and above twice the bound nothing is', () => {
  const isPriority = (incoming: SipRequest): boolean => incoming.headers.callId === 'emergency'
  const { clock, caller, callee } = pair({}, { maxTransactions: 2, retryAfter: 7, isPriority })
  const flow = caller.flowTo(CALLEE)
  const go = (method: string, callId: string, toTag?: string) => {
    caller.layer.request(request(method, callId, toTag === undefined ? {} : { toTag }), flow, caller.events)
    clock.advance(10)
  }
  go('OPTIONS', 'one')
  go('OPTIONS', 'two')
  go('OPTIONS', 'shed')
  assert.deepEqual(callee.seen, ['OPTIONS', 'OPTIONS'])
  assert.deepEqual(caller.seen, ['503'])
  assert.match(Buffer.from(caller.trace.of('shed').at(-1)?.bytes ?? []).toString(), /Retry-After: ([7-9]|1[0-4])\r\n/)
  go('INFO', 'one', 'callee')
  go('INVITE', 'emergency')
  assert.deepEqual(callee.seen, ['OPTIONS', 'OPTIONS', 'INFO', 'INVITE'])
  go('INFO', 'two', 'callee')
  assert.equal(callee.seen.length, 4)
  assert.deepEqual([callee.layer.counts.shed, callee.layer.counts.dropped], [1, 1])
})

test('finished transactions do not count against the bound, and beyond their own the oldest are forgotten early', () => {
  const { clock, caller, callee, assertClean } = pair({}, { maxTransactions: 2, maxFinished: 3 })
  callee.answer = respondWith(200)
  for (let i = 0; i < 10; i++) {
    caller.layer.request(request('OPTIONS', `call-${i}`), caller.flowTo(CALLEE), caller.events)
    clock.advance(10)
  }
  assert.deepEqual(new Set(caller.seen), new Set(['200']))
  assert.deepEqual([callee.layer.counts.servers, callee.layer.counts.finished, callee.wheel.size], [3, 3, 1])
  assertClean()
})

test('INVITEs that have been answered leave room for the answers to other requests', () => {
  const { clock, caller, callee, assertClean } = pair({}, { maxFinished: 3 })
  callee.answer = respondWith(200)
  const say = (method: string, callId: string): void => {
    caller.transport.send(
      caller.flowTo(CALLEE),
      serialize(request(method, callId, { via: `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bK${callId}` })),
    )
    clock.advance(10)
  }
  for (let i = 0; i < 3; i++) say('INVITE', `call-${i}`)
  for (let i = 0; i < 3; i++) say('BYE', 'bye')
  assert.deepEqual(callee.seen, ['INVITE', 'INVITE', 'INVITE', 'BYE'])
  assert.equal(callee.layer.counts.repeatsIn, 2)
  assertClean()
})

test('while draining only new INVITEs are refused', () => {
  const { clock, caller, callee } = pair()
  callee.layer.drain(30)
  callee.answer = respondWith(200)
  caller.layer.request(request('INVITE', 'new'), caller.flowTo(CALLEE), caller.events)
  caller.layer.request(request('OPTIONS', 'health'), caller.flowTo(CALLEE), caller.events)
  clock.advance(10)
  assert.deepEqual(caller.seen, ['503', '200'])
  callee.layer.drain(null)
  caller.layer.request(request('INVITE', 'again'), caller.flowTo(CALLEE), caller.events)
  clock.advance(10)
  assert.deepEqual(caller.seen, ['503', '200', '100', '200'])
})

test('a request to a UDP port where nobody listens fails soon after its first retransmission', () => {
  const { clock, caller, assertClean } = pair()
  caller.layer.request(request('OPTIONS'), caller.flowTo('198.51.100.7'), caller.events)
  clock.advance(490)
  assert.deepEqual(caller.seen, [])
  clock.advance(40)
  assert.deepEqual(caller.seen, ['failed: transport'])
  assertClean()
})

test('a request over a connection that cannot be made, or breaks, fails at once', () => {
  const { clock, caller, callee, assertClean } = pair()
  caller.layer.request(request('INVITE', 'refused'), caller.flowTo('198.51.100.7', 'tcp'), caller.events)
  assert.deepEqual(caller.seen, [], 'never before the call returns')
  clock.advance(10)
  assert.deepEqual(caller.seen, ['failed: transport', 'flow failed: ECONNREFUSED'])
  const flow = caller.flowTo(CALLEE, 'tcp')
  caller.layer.request(request('OPTIONS', 'unanswered'), flow, caller.events)
  clock.advance(10)
  caller.transport.drop(flow)
  caller.layer.request(request('OPTIONS', 'too late'), flow, caller.events)
  clock.advance(20)
  assert.deepEqual(caller.seen.slice(2), ['failed: transport', 'flow failed: closed', 'failed: transport'])
  assert.deepEqual(callee.seen, ['OPTIONS', 'flow failed: closed by the peer'])
  callee.layer.close()
  assertClean()
})

test('a response takes a new connection when the one its request came over is gone', () => {
  const { clock, caller, callee } = pair()
  let pending: ServerTransaction | null = null
  callee.answer = (transaction) => (pending = transaction)
  const flow = caller.flowTo(CALLEE, 'tcp')
  caller.layer.request(request('INVITE'), flow, caller.events)
  clock.advance(10)
  caller.transport.drop(flow)
  assert.deepEqual(caller.seen, ['100', 'flow failed: closed'])
  if (pending !== null) respondWith(486)(pending)
  clock.advance(10)
  assert.deepEqual(caller.seen, ['100', 'flow failed: closed', '486'])
})

test('a 2xx for an earlier life of ours goes up as stray; responses that name others are dropped', () => {
  const { clock, caller, callee } = pair()
  const stray = (sentBy: string) => {
    const invite = request('INVITE', 'earlier', { via: `SIP/2.0/UDP ${sentBy};branch=z9hG4bKearlier` })
    callee.transport.send(callee.flowTo(CALLER), serialize(buildResponse(invite, 200, undefined, { toTag: 'x' })))
    clock.advance(10)
  }
  stray(`${CALLER}:5060`)
  stray('203.0.113.1:5060')
  assert.deepEqual(caller.seen, ['stray 200'])
  assert.equal(caller.layer.counts.strayResponses, 2)
})

test('an earlier life of ours is known by its IPv6 address in brackets, too', () => {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(clock, countingRandom())
  const [caller, callee] = [new Side(network, '2001:db8::1'), new Side(network, '2001:db8::2')]
  for (const sentBy of ['[2001:DB8::1]:5060', '[2001:db8::1]', '[2001:db8::9]:5060']) {
    const invite = request('INVITE', 'earlier', { via: `SIP/2.0/UDP ${sentBy};branch=z9hG4bKearlier` })
    callee.transport.send(callee.flowTo('2001:db8::1'), serialize(buildResponse(invite, 200, undefined, { toTag: 'x' })))
    clock.advance(10)
  }
  assert.deepEqual(caller.seen, ['stray 200', 'stray 200'])
})

test('an abandoned request tells nothing any more, and a late answer to it is stray', () => {
  const { clock, caller, callee, assertClean } = pair()
  callee.answer = respondWith(200)
  caller.layer.request(request('OPTIONS'), caller.flowTo(CALLEE), caller.events).abandon()
  clock.advance(100)
  assert.deepEqual(caller.seen, ['stray 200'])
  assertClean()
})

test('a transaction user that throws costs its own message only', () => {
  const { clock, caller, callee, assertClean } = pair()
  callee.answer = (transaction) => {
    if (transaction.request.headers.callId === 'bug') throw new Error('a bug')
    respondWith(200)(transaction)
  }
  const bug = caller.layer.request(request('OPTIONS', 'bug'), caller.flowTo(CALLEE), caller.events)
  caller.layer.request(request('OPTIONS', 'fine'), caller.flowTo(CALLEE), caller.events)
  clock.advance(10)
  assert.deepEqual(caller.seen, ['200'])
  assert.equal(callee.layer.counts.faults, 1)
  bug.abandon()
  callee.layer.close()
  assertClean()
})

test('over a network that loses, doubles and reorders, every request ends exactly once and nothing remains', () => {
  // Without bias: zeros are losses, and an INVITE that rang ends by itself only if one of eleven copies of its refusal arrives.
  const seeds = fc.noBias(fc.array(fc.nat(2 ** 30), { minLength: 400, maxLength: 400 }))
  fc.assert(
    fc.property(seeds, (seed) => {
      let drawn = 0
      const counting = countingRandom()
      const random: Random = { hex: (bytes) => counting.hex(bytes), below: (limit) => (seed[drawn++ % seed.length] ?? 0) % limit }
      const { clock, caller, callee, assertClean } = pair({ delayMs: 30, jitterMs: 80, lossPercent: 30, duplicatePercent: 20 }, {}, random)
      callee.answer = (transaction) => respondWith(...(transaction.request.method === 'INVITE' ? [180, 486] : [200]))(transaction)
      const finals = new Map<string, number>()
      for (let i = 0; i < 8; i++) {
        const callId = `call-${i}`
        const ended = (): void => void finals.set(callId, (finals.get(callId) ?? 0) + 1)
        caller.layer.request(request(i % 2 === 0 ? 'INVITE' : 'OPTIONS', callId), caller.flowTo(CALLEE), {
          onResponse: (response) => response.status >= 200 && ended(),
          onFailed: ended,
        })
      }
      clock.advance(300_000)
      assert.deepEqual([...finals.values()], [1, 1, 1, 1, 1, 1, 1, 1])
      assert.ok(callee.seen.filter((line) => line === 'INVITE' || line === 'OPTIONS').length <= 8, 'no request is handed up twice')
      assertClean()
    }),
    { numRuns: 50 },
  )
})
