import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow, InviteSpec } from '#sip/agent.ts'
import { CallNotes, challengeFor, MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'
import type { SipRequest } from '#sip/message/message.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }
const spec: InviteSpec = { uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }

/** Alice and a host that answers by hand. */
async function aliceAndPuppet() {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const puppet = new Puppet(town, '10.0.0.2')
  const invites: [SipRequest, Flow][] = []
  puppet.onRequest = (request, flow) => {
    if (request.method === 'INVITE') invites.push([request, flow])
    else if (request.method !== 'ACK') puppet.answer(request, flow, 200)
  }
  const call = new CallNotes()
  const invite = alice.agent.invite(spec, call)
  await town.pass(10)
  const answer = (status: number, toTag: string): void => {
    const [first] = invites
    assert.ok(first !== undefined)
    puppet.answer(...first, status, { toTag, headers: [['Contact', `<sip:${toTag}@10.0.0.2>`]] })
  }
  const seen = (): string[] => puppet.requests.slice(1).map((r) => `${r.method} ${r.uri} ${r.headers.to.tag ?? ''}`)
  return { town, alice, puppet, call, invite, answer, seen, invites }
}

test('of forked answers the first wins; the others are acknowledged and ended (RFC 3261 §13.2.2.4)', async () => {
  const { town, call, answer, seen } = await aliceAndPuppet()
  answer(180, 'desk')
  answer(180, 'mobile')
  await town.pass(100)
  answer(200, 'mobile')
  answer(200, 'desk')
  await town.pass(100)
  assert.deepEqual(call.provisional, [180, 180])
  assert.equal(call.talking?.remoteTag, 'mobile')
  assert.equal(call.answers, 1)
  assert.deepEqual(seen(), ['ACK sip:mobile@10.0.0.2 mobile', 'ACK sip:desk@10.0.0.2 desk', 'BYE sip:desk@10.0.0.2 desk'])
  call.talking.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('each repetition of a 2xx gets its ACK again, of the winner and of the loser, and no second BYE', async () => {
  const { town, call, answer, seen } = await aliceAndPuppet()
  for (const tag of ['a', 'b', 'a', 'b', 'a']) {
    answer(200, tag)
    await town.pass(500)
  }
  assert.deepEqual(
    seen().map((line) => line.replace(/sip:\S+ /, '')),
    ['ACK a', 'ACK b', 'BYE b', 'ACK a', 'ACK b', 'ACK a'],
  )
  call.talking?.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a strict router finds itself in the Request-URI and the target last in Route; a loose one stays in Route', async () => {
  for (const [route, uri, routes] of [
    ['<sip:10.0.0.2;lr>', 'sip:x@10.0.0.2', ['<sip:10.0.0.2;lr>']],
    ['<sip:10.0.0.2>', 'sip:10.0.0.2', ['<sip:x@10.0.0.2>']],
  ] as const) {
    const { town, puppet, call, invites } = await aliceAndPuppet()
    const [first] = invites
    assert.ok(first !== undefined)
    const [request, flow] = first
    request.headers.add('Record-Route', route)
    puppet.answer(request, flow, 200, { toTag: 't', headers: [['Contact', '<sip:x@10.0.0.2>']] })
    await town.pass(100)
    call.talking?.bye()
    await town.pass(100)
    const bye = puppet.requests.find((r) => r.method === 'BYE')
    assert.equal(bye?.uri, uri)
    assert.deepEqual(bye.headers.all('Route'), routes)
  }
})

test('a challenged INVITE is sent again with credentials, in the same Call-ID with the next CSeq (RFC 3665 §3.3)', async () => {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  bob.identify = () => challengeFor('trunk', 'secret')
  bob.onInvite = (invite) => invite.accept(sdp('answer'), new Notes())
  const credentials = { user: 'trunk', password: 'secret' }
  const call = new CallNotes()
  alice.agent.invite({ ...spec, credentials }, call)
  await town.pass(500)
  assert.equal(call.answers, 1)
  assert.equal(bob.invites[0]?.request.headers.cseq.seq, 2)
  const again = new CallNotes()
  alice.agent.invite({ ...spec, credentials }, again)
  await town.pass(500)
  assert.equal(again.answers, 1)
  assert.equal(bob.invites[1]?.request.headers.cseq.seq, 1, 'a nonce that is known saves the challenge')
  call.talking?.bye()
  again.talking?.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('wrong credentials are tried once and then told as they are', async () => {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  bob.identify = () => challengeFor('trunk', 'secret')
  const call = new CallNotes()
  alice.agent.invite({ ...spec, credentials: { user: 'trunk', password: 'wrong' } }, call)
  await town.pass(1_000)
  assert.deepEqual(
    call.failed.map((failure) => failure.kind === 'response' && failure.status),
    [401],
  )
  assert.equal(bob.transport.arrived.filter((line) => line.startsWith('INVITE')).length, 2)
  assert.equal(bob.agent.counts.failedAuthentications, 1)
})

test('a 2xx to an INVITE of an earlier life is acknowledged, ended and told; one for another host is left alone', async () => {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const puppet = new Puppet(town, '10.0.0.2')
  puppet.onRequest = (request, flow) => {
    if (request.method === 'BYE') puppet.answer(request, flow, 200)
  }
  const answer = (host: string): string[] => [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/UDP ${host}:5060;branch=z9hG4bKearlier`,
    'From: <sip:alice@10.0.0.1>;tag=ours',
    'To: <sip:bob@10.0.0.2>;tag=theirs',
    `Call-ID: life-before-${host}`,
    'CSeq: 1 INVITE',
    'Contact: <sip:victim@10.9.9.9>',
  ]
  const flow = puppet.flowTo('10.0.0.1')
  puppet.say(flow, answer('10.7.7.7'))
  puppet.say(flow, answer('10.0.0.1'))
  await town.pass(100)
  puppet.say(flow, answer('10.0.0.1'))
  await town.pass(100)
  assert.deepEqual(
    puppet.requests.map((r) => r.method),
    ['ACK', 'BYE', 'ACK'],
  )
  assert.deepEqual(alice.strays, ['life-before-10.0.0.1'])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})
