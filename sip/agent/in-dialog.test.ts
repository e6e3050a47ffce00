import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InviteDialog, Unanswered } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { CallNotes, type Citizen, MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }
const text = (body: Uint8Array): string => Buffer.from(body).toString()

/** Alice has called Bob; both talk. */
async function talking(weather = {}) {
  const town = new MemoryTown(weather)
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  const notes = new Notes()
  const dialogs: InviteDialog[] = []
  bob.onInvite = (invite) => void dialogs.push(invite.accept(sdp('answer'), notes))
  const call = new CallNotes()
  alice.agent.invite({ uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }, call)
  await town.pass(1_000)
  const [bobs] = dialogs
  assert.ok(call.talking !== null && bobs !== undefined)
  return { town, alice, bob, alices: call.talking, bobs, call, notes }
}

function results() {
  const seen: (SipResponse | Unanswered)[] = []
  return { seen, note: (result: SipResponse | Unanswered, acknowledge: () => void) => (seen.push(result), acknowledge()) }
}

function statuses(seen: readonly (SipResponse | Unanswered)[]): (number | string)[] {
  return seen.map((result) => (result.kind === 'response' ? result.status : result.why))
}

test('hold and resume: re-INVITEs both ways, each answered and acknowledged', async () => {
  const { town, alices, bobs, call, notes } = await talking()
  const { seen, note } = results()
  alices.reinvite(sdp('hold'), note)
  await town.pass(500)
  bobs.reinvite(sdp('hold too'), note)
  await town.pass(500)
  assert.deepEqual(statuses(seen), [200, 200])
  assert.deepEqual(
    notes.offers.map((offer) => text(offer.body)),
    ['hold'],
  )
  assert.deepEqual(
    call.dialog.offers.map((offer) => text(offer.body)),
    ['hold too'],
  )
  assert.deepEqual(call.dialog.acknowledged, [null])
  alices.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual(town.faults, [])
})

test('glare: both sides re-INVITE at once, both get 491, the callee tries again first, both succeed (RFC 3261 §14.1)', async () => {
  const { town, alices, bobs, alice, bob } = await talking()
  const first = results()
  const second = results()
  alices.reinvite(sdp('a'), first.note)
  bobs.reinvite(sdp('b'), second.note)
  await town.pass(100)
  assert.ok(
    alice.transport.arrived.includes('SIP/2.0 491 Request Pending') && bob.transport.arrived.includes('SIP/2.0 491 Request Pending'),
  )
  await town.pass(2_000)
  assert.deepEqual([statuses(first.seen), statuses(second.seen)], [[], [200]])
  await town.pass(3_000)
  assert.deepEqual(statuses(first.seen), [200])
  alices.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('two re-INVITEs asked for together go one after the other', async () => {
  const { town, alices, notes } = await talking()
  const { seen, note } = results()
  alices.reinvite(sdp('one'), note)
  alices.reinvite(sdp('two'), note)
  await town.pass(1_000)
  assert.deepEqual(statuses(seen), [200, 200])
  assert.deepEqual(
    notes.offers.map((offer) => text(offer.body)),
    ['one', 'two'],
  )
})

test('a re-INVITE without offer gets one in the 2xx and answers it in the ACK', async () => {
  const { town, alices, notes } = await talking()
  alices.reinvite(null, (result, acknowledge) => {
    assert.ok(result.kind === 'response' && text(result.body) === 'answer')
    acknowledge(sdp('answer of the answer'))
  })
  await town.pass(1_000)
  assert.deepEqual(
    notes.acknowledged.map((body) => body && text(body.bytes)),
    [null, 'answer of the answer'],
  )
})

test('a second re-INVITE while the first is thought about gets 500 with Retry-After; one that is cancelled gets 487', async () => {
  const { town, bob, bobs, notes } = await talking()
  const replies: { accept(body: null): void }[] = []
  notes.reply = (reply) => void replies.push(reply)
  const puppet = new Puppet(town, '10.0.0.9')
  const flow = puppet.flowTo('10.0.0.2')
  const { remoteTag, localTag, callId } = bobs.keep()
  const invite = (seq: number, method = 'INVITE', branch = seq) => [
    `${method} sip:10.0.0.2 SIP/2.0`,
    `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${branch};rport`,
    `From: <sip:alice@10.0.0.1>;tag=${remoteTag}`,
    `To: <sip:bob@10.0.0.2>;tag=${localTag}`,
    `Call-ID: ${callId}`,
    `CSeq: ${seq} ${method}`,
  ]
  puppet.say(flow, invite(10))
  await town.pass(100)
  puppet.say(flow, invite(11))
  await town.pass(100)
  puppet.say(flow, invite(10, 'CANCEL'))
  await town.pass(100)
  assert.deepEqual(
    puppet.responses
      .filter(({ status }) => status > 100)
      .map((response) => `${response.headers.cseq.seq} ${response.headers.cseq.method} ${response.status}`),
    ['11 INVITE 500', '10 CANCEL 200', '10 INVITE 487'],
  )
  assert.ok(puppet.responses[0]?.headers.retryAfter !== undefined)
  const told = puppet.responses.length
  replies[0]?.accept(null)
  await town.pass(100)
  assert.equal(puppet.responses.length, told)
  assert.equal(bob.agent.counts.dialogs, 1)
})

test('a request whose CSeq is not above all before gets 500 and moves nothing', async () => {
  const { town, bobs, notes } = await talking()
  const puppet = new Puppet(town, '10.0.0.9')
  const { remoteTag, localTag, callId, remoteSeq, flow } = bobs.keep()
  puppet.say(puppet.flowTo('10.0.0.2'), [
    'BYE sip:10.0.0.2 SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKold;rport',
    `From: <sip:alice@10.0.0.1>;tag=${remoteTag}`,
    `To: <sip:bob@10.0.0.2>;tag=${localTag}`,
    `Call-ID: ${callId}`,
    `CSeq: ${remoteSeq} BYE`,
  ])
  await town.pass(100)
  assert.deepEqual(
    puppet.responses.map((response) => response.status),
    [500],
  )
  assert.deepEqual(notes.ended, [])
  assert.deepEqual(bobs.keep().flow, flow)
})

test('a wrong tag or Call-ID matches no dialog: 481, and nobody hears of it', async () => {
  const { town, bob, bobs, notes } = await talking()
  const puppet = new Puppet(town, '10.0.0.9')
  const { remoteTag, localTag, callId } = bobs.keep()
  const guesses = [
    [callId, 'guess', localTag],
    [callId, remoteTag, 'guess'],
    ['guess', remoteTag, localTag],
  ]
  for (const [id, from, to] of guesses) {
    puppet.say(puppet.flowTo('10.0.0.2'), [
      'BYE sip:10.0.0.2 SIP/2.0',
      `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${id}${from}${to};rport`,
      `From: <sip:alice@10.0.0.1>;tag=${from}`,
      `To: <sip:bob@10.0.0.2>;tag=${to}`,
      `Call-ID: ${id}`,
      'CSeq: 99 BYE',
    ])
  }
  await town.pass(100)
  assert.deepEqual(
    puppet.responses.map((response) => response.status),
    [481, 481, 481],
  )
  assert.deepEqual(notes.ended, [])
  assert.equal(bob.agent.counts.unknownDialogs, 3)
})

test('a peer whose address translation is rebound keeps its call: requests go where its last one came from', async () => {
  const { town, bobs, notes } = await talking()
  const moved = new Puppet(town, '198.51.100.7', 40_000)
  const { remoteTag, localTag, callId } = bobs.keep()
  moved.onRequest = (request, flow) => moved.answer(request, flow, 200)
  moved.say(moved.flowTo('10.0.0.2'), [
    'INFO sip:10.0.0.2 SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKmoved;rport',
    `From: <sip:alice@10.0.0.1>;tag=${remoteTag}`,
    `To: <sip:bob@10.0.0.2>;tag=${localTag}`,
    `Call-ID: ${callId}`,
    'CSeq: 50 INFO',
  ])
  await town.pass(100)
  assert.equal(notes.requests.length, 1)
  assert.deepEqual(bobs.keep().flow.remote, { address: '198.51.100.7', port: 40_000 })
  assert.ok(notes.changes > 0)
})

test('INFO and MESSAGE reach the owner; OPTIONS and an empty UPDATE are answered by the agent', async () => {
  const { town, alices, notes } = await talking()
  const info = alices.request('INFO', [], { contentType: 'application/dtmf-relay', bytes: Buffer.from('Signal=5') })
  const options = alices.request('OPTIONS', [])
  const update = alices.request('UPDATE', [])
  const unknown = alices.request('FROBNICATE', [])
  await town.pass(500)
  const answers = await Promise.all([info, options, update, unknown])
  assert.deepEqual(statuses(answers), [200, 200, 200, 501])
  assert.deepEqual(
    notes.requests.map((incoming) => incoming.request.method),
    ['INFO'],
  )
  alices.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('an UPDATE with an offer is an offer (RFC 3311)', async () => {
  const { town, alices, notes } = await talking()
  const update = alices.request('UPDATE', [], sdp('moved'))
  await town.pass(500)
  const result = await update
  assert.ok(result.kind === 'response' && text(result.body) === 'answer')
  assert.deepEqual(
    notes.offers.map((offer) => offer.method),
    ['UPDATE'],
  )
})

test('a 481 to a request ends the dialog; a silent INFO does not', async () => {
  const { town, alice, alices, bob, call } = await talking()
  const silent = alices.request('INFO', [])
  await bob.agent.close()
  await town.pass(40_000)
  assert.deepEqual(statuses([await silent]), ['transport'])
  assert.deepEqual(call.dialog.ended, [])
  const again = await town.move('10.0.0.2')
  const gone = alices.request('INFO', [])
  await town.pass(500)
  assert.deepEqual(statuses([await gone]), [481])
  assert.deepEqual(call.dialog.ended, [{ kind: 'gone', detail: '481 Call/Transaction Does Not Exist' }])
  assert.equal(again.agent.counts.dialogs, 0)
  assert.equal(alice.agent.counts.dialogs, 0)
})

test('a 408 ends the dialog, and the peer, who may be there again, gets a BYE (RFC 3261 §12.2.1.2)', async () => {
  for (const method of ['INFO', 'INVITE']) {
    const { town, alice, alices, bob, call, notes } = await talking()
    notes.onRequest = (incoming) => incoming.respond(408)
    notes.reply = (reply) => reply.reject(408)
    const { seen, note } = results()
    if (method === 'INVITE') alices.reinvite(sdp('hold'), note)
    else void alices.request(method, []).then((result) => seen.push(result))
    await town.pass(500)
    assert.deepEqual(statuses(seen), [408])
    assert.deepEqual(call.dialog.ended, [{ kind: 'gone', detail: '408 Request Timeout' }])
    assert.deepEqual(notes.ended, [{ kind: 'bye', reason: null }], method)
    assert.deepEqual(
      [alice, bob].map((each) => each.agent.counts.dialogs),
      [0, 0],
    )
    assert.deepEqual(await town.leftovers(), nothingLeft)
  }
})

test('a 481 or 408 to what is no part of the session ends no call (RFC 5057 §5.1)', async () => {
  for (const status of [481, 408]) {
    const { town, alices, call, notes } = await talking()
    notes.onRequest = (incoming) => incoming.respond(status)
    const asked = ['NOTIFY', 'MESSAGE'].map((method) => alices.request(method, []))
    await town.pass(500)
    assert.deepEqual(statuses(await Promise.all(asked)), [status, status])
    assert.deepEqual([call.dialog.ended, notes.ended], [[], []])
    alices.bye()
    await town.pass(500)
    assert.deepEqual(await town.leftovers(), nothingLeft)
  }
})

test('both hang up at once: both BYEs are answered 200 and nobody hears of an end', async () => {
  const { town, alices, bobs, alice, bob, call, notes } = await talking()
  alices.bye()
  bobs.bye()
  await town.pass(500)
  assert.deepEqual([call.dialog.ended, notes.ended], [[], []])
  assert.deepEqual([alice, bob].map(byeAnswers), [['200'], ['200']])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a BYE while a re-INVITE waits for its answer: the re-INVITE gets 487 first', async () => {
  const { town, alices, bobs, notes } = await talking()
  notes.reply = () => undefined
  const { seen, note } = results()
  alices.reinvite(sdp('hold'), note)
  await town.pass(100)
  bobs.bye()
  await town.pass(500)
  assert.deepEqual(statuses(seen), [487])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

function byeAnswers(citizen: Citizen): string[] {
  return citizen.transport.arrived
    .filter((line) => line.startsWith('SIP/2.0 '))
    .slice(-1)
    .map((line) => line.slice(8, 11))
}
