import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from '#sip/agent.ts'
import { ADOPTED_SEQ_MARGIN, Dialog, GONE, isTranslated } from '#sip/dialog/dialog.ts'
import { routed } from '#sip/dialog/route.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import { parseVia } from '#sip/message/via.ts'

const flow: Flow = {
  transport: 'tcp',
  local: { address: '10.0.0.1', port: 5060 },
  remote: { address: '10.0.0.2', port: 40_000 },
  connection: 3,
}

const invite = buildRequest({
  method: 'INVITE',
  uri: 'sips:bob@biloxi.example',
  headers: [
    ['Via', 'SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK1'],
    ['Record-Route', '<sip:p2.example;lr>'],
    ['Record-Route', '<sip:p1.example;lr>'],
    ['From', '"Alice, A." <sip:alice@atlanta.example>;tag=a'],
    ['To', 'Bob <sip:bob@biloxi.example>'],
    ['Call-ID', 'c'],
    ['CSeq', '7 INVITE'],
    ['Contact', '<sip:alice@10.0.0.2?Subject=x>'],
  ],
})

test('the callee keeps the route as it came, the caller turns it round (RFC 3261 §12.1.1, §12.1.2)', () => {
  const callee = Dialog.ofInvite(invite, 'b', flow)
  assert.deepEqual(callee.routeSet, ['<sip:p2.example;lr>', '<sip:p1.example;lr>'])
  const response = buildResponse(invite, 200, 'OK', { toTag: 'b', headers: [['Contact', '<sip:bob@10.0.0.1>']] })
  const caller = Dialog.ofResponse(response, invite.uri, flow)
  assert.deepEqual(caller.routeSet, ['<sip:p1.example;lr>', '<sip:p2.example;lr>'])
  assert.deepEqual([caller.localTag, caller.remoteTag, callee.localTag, callee.remoteTag], ['a', 'b', 'b', 'a'])
  assert.deepEqual(
    [callee.remoteUri, callee.remoteTarget, callee.secure],
    ['"Alice, A." <sip:alice@atlanta.example>', 'sip:alice@10.0.0.2', true],
  )
  assert.deepEqual([caller.remoteTarget, caller.localSeq, callee.remoteSeq], ['sip:bob@10.0.0.1', 7, 7])
})

test('what is kept and adopted is the same dialog, with higher numbers and no connection', () => {
  const dialog = Dialog.ofInvite(invite, 'b', flow)
  dialog.takeSequence()
  const kept = dialog.keep()
  assert.deepEqual(JSON.parse(JSON.stringify(kept)), kept)
  const adopted = Dialog.adopt(kept)
  assert.deepEqual(adopted.keep(), { ...kept, localSeq: 1 + ADOPTED_SEQ_MARGIN, flow: { ...flow, connection: GONE } })
  assert.deepEqual([adopted.callId, adopted.localTag, adopted.remoteTag], [dialog.callId, dialog.localTag, dialog.remoteTag])
})

test('only a higher CSeq is in order, and a Contact of * or none moves no target', () => {
  const dialog = Dialog.ofInvite(invite, 'b', flow)
  assert.equal(dialog.order(invite), 'same')
  const next = buildRequest({ method: 'INFO', uri: 'sip:x', headers: [['CSeq', '8 INFO']] })
  assert.equal(dialog.order(next), 'next')
  assert.equal(dialog.received(next, { ...flow, connection: 4 }), true)
  assert.deepEqual([dialog.order(invite), dialog.flow.connection], ['late', 4])
  assert.equal(dialog.refreshTarget(next.headers), false)
  assert.equal(dialog.remoteTarget, 'sip:alice@10.0.0.2')
})

test('a first route without lr is a strict router, and what may not stand in a Request-URI is left out', () => {
  assert.deepEqual(routed('sip:t@x', ['<sip:old.example?a=b>', '<sip:p.example;lr>']), {
    uri: 'sip:old.example',
    routes: ['<sip:p.example;lr>', '<sip:t@x>'],
    nextHop: 'sip:old.example?a=b',
  })
})

test('translation shows where the sender asks for rport and is seen elsewhere than it says', () => {
  const seen = (via: string): boolean => {
    const parsed = parseVia(via)
    assert.ok(parsed !== undefined)
    return isTranslated(parsed)
  }
  assert.equal(seen('SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bK1;received=198.51.100.7;rport=31000'), true)
  assert.equal(seen('SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1;rport=5060'), false)
  assert.equal(seen('SIP/2.0/UDP proxy.example;branch=z9hG4bK1;received=198.51.100.7;rport=5060'), false)
  assert.equal(seen('SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;received=198.51.100.8'), false)
})
