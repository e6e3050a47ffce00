import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildResponse } from '#sip/message/build.ts'
import { serialize } from '#sip/message/serialize.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'
import { CALLEE, CALLER, pair, request, respondWith } from '#sip/transaction/memory-pair.ts'
import { statelessTag } from '#sip/transport/stateless-tag.ts'

/** As somebody whom nobody knows: says it, and gives what comes back. */
function strange({ clock, caller }: Pick<ReturnType<typeof pair>, 'clock' | 'caller'>) {
  const via = (callId: string): string => `SIP/2.0/UDP ${CALLER}:5060;branch=z9hG4bK${callId}`
  return (method: string, callId: string, more: { toTag?: string } = {}): string[] => {
    const before = caller.transport.arrived.length
    caller.transport.send(caller.flowTo(CALLEE), serialize(request(method, callId, { via: via(callId), ...more })))
    clock.advance(10)
    return caller.transport.arrived.slice(before)
  }
}

test('of what strangers are answered little is kept: what more of them ask is answered anew each time it comes, unless a phone is known there', () => {
  const { clock, caller, callee, assertClean } = pair({}, { maxStrangers: 2 })
  const say = strange({ clock, caller })
  callee.answer = respondWith(401)
  const answer = ['SIP/2.0 401 Unauthorized']
  for (let i = 0; i < 5; i++) assert.deepEqual(say('OPTIONS', `call-${i}`), answer)
  assert.deepEqual([callee.layer.counts.servers, callee.layer.counts.finished, callee.wheel.size], [2, 2, 1])
  const [kept, forgotten] = ['call-1', 'call-4']
  assert.deepEqual([say('OPTIONS', kept), callee.seen.length], [answer, 5], 'answered from memory')
  assert.deepEqual([say('OPTIONS', forgotten), callee.seen.length], [answer, 6], 'answered anew')
  assert.deepEqual([callee.trace.of(kept).length, callee.trace.of(forgotten).length], [4, 0])
  callee.trusted.add(CALLER)
  for (let i = 0; i < 2; i++) assert.deepEqual(say('OPTIONS', 'known'), answer)
  assert.equal(callee.seen.length, 7, 'answered from memory')
  callee.trusted.clear()
  clock.advance(40_000)
  for (let i = 0; i < 2; i++) assert.deepEqual(say('OPTIONS', 'later'), answer)
  assert.equal(callee.seen.length, 8, 'there is room again')
  assertClean()
})

test('who proves who they are among many strangers is served as ever, and so is what is answered later', () => {
  const { clock, caller, callee, assertClean } = pair({}, { maxStrangers: 0 })
  const say = strange({ clock, caller })
  callee.answer = (transaction) => {
    transaction.proved()
    respondWith(200)(transaction)
  }
  for (let i = 0; i < 2; i++) assert.deepEqual(say('OPTIONS', 'proved'), ['SIP/2.0 200 OK'])
  assert.equal(callee.seen.length, 1)
  assert.equal(callee.trace.of('proved').length, 4)
  let pending: ServerTransaction | null = null
  callee.answer = (transaction) => (pending = transaction)
  for (let i = 0; i < 2; i++) assert.deepEqual(say('OPTIONS', 'later'), [])
  assert.equal(callee.seen.length, 2)
  if (pending !== null) respondWith(404)(pending)
  clock.advance(10)
  assert.deepEqual(say('OPTIONS', 'later'), ['SIP/2.0 404 Not Found'])
  assert.equal(callee.seen.length, 2)
  assertClean()
})

test('an ACK for an INVITE that was refused without a transaction is absorbed, once each', () => {
  const { clock, caller, callee } = pair({}, { maxStrangers: 0 })
  const say = strange({ clock, caller })
  let tag = ''
  callee.answer = (transaction) => {
    tag = statelessTag(transaction.request.headers)
    transaction.respond(buildResponse(transaction.request, 401, undefined, { toTag: tag }))
  }
  say('INVITE', 'refused')
  say('ACK', 'refused', { toTag: 'another' })
  assert.deepEqual(callee.seen, ['INVITE', 'ACK'], 'not for this answer')
  say('ACK', 'refused', { toTag: tag })
  assert.deepEqual(callee.seen, ['INVITE', 'ACK'])
  say('ACK', 'refused', { toTag: tag })
  assert.deepEqual(callee.seen, ['INVITE', 'ACK', 'ACK'])
  assert.deepEqual([callee.layer.counts.servers, callee.wheel.size, clock.pending], [0, 0, 0])
})

test('once all is over nothing that comes is handed up any more, however often it comes', () => {
  const { clock, caller, callee } = pair()
  const say = strange({ clock, caller })
  callee.answer = respondWith(200)
  assert.deepEqual(say('OPTIONS', 'before'), ['SIP/2.0 200 OK'])
  callee.layer.close()
  for (let i = 0; i < 3; i++)
    for (const [method, callId] of [
      ['OPTIONS', 'before'],
      ['INVITE', 'after'],
      ['CANCEL', 'after'],
    ] as const)
      say(method, callId)
  assert.deepEqual(callee.seen, ['OPTIONS'])
  const { servers, finished } = callee.layer.counts
  assert.deepEqual([servers, finished, callee.wheel.size], [0, 0, 0])
})
