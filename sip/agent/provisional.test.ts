import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow, IncomingInvite, InviteDialog } from '#sip/agent.ts'
import { CallNotes, MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }
const text = (body: Uint8Array): string => Buffer.from(body).toString()

/** Bob gets INVITEs of a caller who is written out by hand and knows 100rel. */
async function called(lines: readonly string[] = ['Supported: 100rel'], offer = 'offer') {
  const town = new MemoryTown()
  const bob = await town.move('10.0.0.2')
  const caller = new Puppet(town, '10.0.0.9')
  const flow = caller.flowTo('10.0.0.2')
  const say = (method: string, seq: number, more: readonly string[] = [], body = ''): void => {
    const tag = caller.responses.findLast((response) => response.headers.to.tag !== undefined)?.headers.to.tag
    caller.say(
      flow,
      [
        `${method} sip:bob@10.0.0.2 SIP/2.0`,
        `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${method === 'CANCEL' ? 'INVITE' : method}${seq};rport`,
        'From: <sip:alice@10.0.0.9>;tag=alice',
        `To: <sip:bob@10.0.0.2>${tag === undefined || method === 'CANCEL' ? '' : `;tag=${tag}`}`,
        'Call-ID: c1',
        'Contact: <sip:alice@10.0.0.9>',
        'Max-Forwards: 70',
        `CSeq: ${seq} ${method}`,
        ...more,
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
      ],
      body,
    )
  }
  say('INVITE', 1, lines, offer)
  await town.pass(10)
  const [invite] = bob.invites
  assert.ok(invite !== undefined)
  const notes = new Notes()
  invite.early = notes
  const reliable = (): SipResponse[] => caller.responses.filter((response) => response.headers.has('RSeq'))
  const prack = (seq: number, body = '', rseq = Number(reliable().at(-1)?.headers.get('RSeq'))): void =>
    say('PRACK', seq, [`RAck: ${rseq} 1 INVITE`], body)
  const finals = (method: string): number[] =>
    caller.responses.filter(({ headers, status }) => headers.cseq.method === method && status >= 200).map(({ status }) => status)
  return { town, bob, caller, invite, notes, say, reliable, prack, finals }
}

test('early media is sent again after 0.5, 1.5, 3.5 s, until its PRACK comes (RFC 3262 §3)', async () => {
  const { town, invite, reliable, prack, finals } = await called()
  invite.progress(183, sdp('early'))
  await town.pass(3_600)
  assert.equal(reliable().length, 4)
  assert.equal(new Set(reliable().map(({ headers }) => headers.get('RSeq'))).size, 1)
  assert.deepEqual(reliable()[0]?.headers.require, ['100rel'])
  prack(2)
  await town.pass(30_000)
  assert.deepEqual([reliable().length, finals('PRACK')], [4, [200]])
})

test('ringing without a session stays as it was, unless the caller requires more', async () => {
  const easy = await called()
  easy.invite.progress(180)
  await easy.town.pass(10)
  assert.equal(easy.reliable().length, 0)
  const strict = await called(['Require: 100rel'])
  strict.invite.progress(180)
  await strict.town.pass(10)
  assert.equal(strict.reliable().length, 1)
})

test('a second response waits for the PRACK of the first and has the next number', async () => {
  const { town, invite, reliable, prack } = await called(['Require: 100rel'])
  invite.progress(180)
  invite.progress(183, sdp('early'))
  await town.pass(10)
  assert.deepEqual(
    reliable().map(({ status }) => status),
    [180],
  )
  prack(2)
  await town.pass(10)
  const [first, second] = reliable().map(({ headers }) => Number(headers.get('RSeq')))
  assert.deepEqual([reliable()[1]?.status, second], [183, (first ?? 0) + 1])
})

test('the answer waits for the PRACK, says the session only once, and the call goes on', async () => {
  const { town, bob, caller, invite, notes, say, prack, finals } = await called()
  invite.progress(183, sdp('early'))
  const dialog = invite.accept(sdp('early'), notes)
  await town.pass(100)
  assert.deepEqual(finals('INVITE'), [])
  prack(2)
  await town.pass(100)
  assert.deepEqual(finals('INVITE'), [200])
  const answered = caller.responses.find(({ headers, status }) => headers.cseq.method === 'INVITE' && status === 200)
  assert.equal(answered?.body.length, 0)
  say('ACK', 1)
  await town.pass(100)
  caller.onRequest = (request, flow) => caller.answer(request, flow, 200)
  dialog.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual([bob.agent.counts.unknownDialogs, notes.acknowledged], [0, [null]])
})

test('whose PRACK never comes is told 504 after 32 s, and the owner that the caller is lost', async () => {
  const { town, invite, finals, caller, say } = await called()
  const lost: (string | undefined)[] = []
  invite.onCancelled = (_reason, why) => void lost.push(why)
  invite.progress(183, sdp('early'))
  await town.pass(32_100)
  assert.ok(finals('INVITE').includes(504))
  assert.deepEqual(lost, ['the caller did not acknowledge a provisional response'])
  say('ACK', 1)
  assert.ok(caller.responses.length > 0)
})

test('an answer whose provisional response is never acknowledged fails, and the dialog ends', async () => {
  const { town, invite, notes, finals } = await called()
  invite.progress(183, sdp('early'))
  invite.accept(sdp('early'), notes)
  await town.pass(32_100)
  assert.ok(finals('INVITE').includes(504))
  assert.equal(notes.ended[0]?.kind, 'gone')
})

test('a caller who gives up while the answer waits gets 487, and the dialog ends', async () => {
  const { town, invite, notes, say, finals } = await called()
  invite.progress(183, sdp('early'))
  invite.accept(sdp('early'), notes)
  say('CANCEL', 1)
  await town.pass(100)
  assert.deepEqual([finals('CANCEL'), finals('INVITE')], [[200], [487]])
  assert.deepEqual(notes.ended, [{ kind: 'bye', reason: null }])
})

test('a PRACK for nothing that waits gets 481, also after the answer', async () => {
  const { town, invite, notes, prack, finals } = await called()
  invite.progress(183, sdp('early'))
  await town.pass(10)
  prack(2, '', 1)
  await town.pass(10)
  assert.deepEqual(finals('PRACK'), [481])
  prack(3)
  await town.pass(10)
  invite.accept(null, notes)
  await town.pass(10)
  prack(4)
  await town.pass(10)
  assert.deepEqual(finals('PRACK'), [481, 200, 481])
})

test('an INVITE without offer gets ours in the 183, and the PRACK brings its answer (RFC 3262 §5)', async () => {
  const { town, invite, notes, prack, finals } = await called(['Supported: 100rel'], '')
  assert.ok(invite.isReliable)
  invite.progress(183, sdp('our offer'))
  await town.pass(10)
  prack(2, 'their answer')
  await town.pass(10)
  assert.deepEqual(
    notes.acknowledged.map((body) => body && text(body.bytes)),
    ['their answer'],
  )
  assert.deepEqual(finals('PRACK'), [200])
})

test('a PRACK may bring a further offer, and so may an UPDATE after it; before it an UPDATE gets 500 with Retry-After', async () => {
  const { town, invite, notes, prack, say, caller, finals } = await called()
  invite.progress(180)
  await town.pass(10)
  say('UPDATE', 2, [], 'too early')
  await town.pass(10)
  assert.deepEqual(finals('UPDATE'), [500])
  invite.progress(183, sdp('early'))
  await town.pass(10)
  prack(3, 'second offer')
  await town.pass(10)
  say('UPDATE', 4, [], 'third offer')
  await town.pass(10)
  say('UPDATE', 5)
  await town.pass(10)
  assert.deepEqual(
    notes.offers.map((offer) => text(offer.body)),
    ['second offer', 'third offer'],
  )
  assert.deepEqual(finals('UPDATE'), [500, 200, 200])
  const answers = caller.responses.filter(({ headers, status }) => status === 200 && headers.cseq.method !== 'INVITE')
  assert.deepEqual(
    answers.map(({ body }) => text(body)),
    ['answer', 'answer', ''],
  )
  assert.ok(answers[0]?.headers.cseq.method === 'PRACK')
})

test('an UPDATE with an offer while ours has no answer gets 491 (RFC 3311 §5.2)', async () => {
  const { town, invite, say, finals } = await called(['Supported: 100rel'], '')
  invite.progress(183, sdp('our offer'))
  await town.pass(10)
  say('UPDATE', 2, [], 'their offer')
  await town.pass(10)
  assert.deepEqual(finals('UPDATE'), [491])
})

/** Alice calls a host that answers by hand. */
async function calling() {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const puppet = new Puppet(town, '10.0.0.2')
  const invites: [SipRequest, Flow][] = []
  puppet.onRequest = (request, flow) => {
    if (request.method === 'INVITE') invites.push([request, flow])
    else if (request.method !== 'ACK') puppet.answer(request, flow, 200)
  }
  const call = new CallNotes()
  const spec = { uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }
  const invite = alice.agent.invite(spec, call)
  await town.pass(10)
  const say = (status: number, toTag: string, rseq?: number): void => {
    const [first] = invites
    assert.ok(first !== undefined)
    const more = rseq === undefined ? [] : [['Require', '100rel'] as const, ['RSeq', String(rseq)] as const]
    puppet.answer(...first, status, { toTag, headers: [['Contact', `<sip:${toTag}@10.0.0.2>`], ...more] })
  }
  const pracks = (): string[] => puppet.requests.filter((r) => r.method === 'PRACK').map((r) => `${r.uri} ${r.headers.get('RAck')}`)
  return { town, alice, puppet, call, invite, invites, say, pracks }
}

test('a reliable response gets its PRACK, in order, once; what comes too early or again is not heard (RFC 3262 §4)', async () => {
  const { town, call, say, pracks } = await calling()
  say(183, 'desk', 7)
  say(183, 'desk', 7)
  say(180, 'desk', 9)
  say(180, 'desk', 8)
  say(180, 'mobile', 100)
  await town.pass(100)
  assert.deepEqual(pracks(), ['sip:desk@10.0.0.2 7 1 INVITE', 'sip:desk@10.0.0.2 8 1 INVITE', 'sip:mobile@10.0.0.2 100 1 INVITE'])
  assert.deepEqual(call.provisional, [183, 180, 180])
  say(200, 'desk')
  await town.pass(100)
  assert.equal(call.talking?.keep().localSeq, 3)
  call.talking.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('who is called may offer anew by UPDATE before the answer', async () => {
  const { town, puppet, call, say, invites } = await calling()
  say(183, 'desk', 1)
  await town.pass(10)
  const [invite] = invites
  assert.ok(invite !== undefined)
  const lines = [
    'UPDATE sip:10.0.0.1 SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKu1;rport',
    `From: <sip:bob@10.0.0.2>;tag=desk`,
    `To: <sip:alice@10.0.0.1>;tag=${invite[0].headers.from.tag}`,
    `Call-ID: ${invite[0].headers.callId}`,
    'Max-Forwards: 70',
    'Contact: <sip:desk@10.0.0.2>',
    'CSeq: 1 UPDATE',
    'Content-Type: application/sdp',
  ]
  puppet.say(puppet.flowTo('10.0.0.1'), lines, 'new offer')
  await town.pass(10)
  assert.deepEqual(
    call.dialog.offers.map((offer) => text(offer.body)),
    ['new offer'],
  )
  assert.deepEqual(
    puppet.responses.map(({ status, body }) => [status, text(body)]),
    [[200, 'answer']],
  )
})

test('what a cancelled INVITE still brings is acknowledged, and nothing is left', async () => {
  const { town, puppet, invite, invites, say, pracks, call } = await calling()
  say(183, 'desk', 1)
  await town.pass(10)
  invite.cancel()
  await town.pass(10)
  say(180, 'desk', 2)
  await town.pass(10)
  assert.equal(pracks().length, 2)
  assert.ok(puppet.requests.some((request) => request.method === 'CANCEL'))
  say(487, 'desk')
  assert.equal(invites.length, 1)
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.equal(call.failed.length, 1)
})

test('two agents: early media, PRACK, answer, talk', async () => {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  const incoming: IncomingInvite[] = []
  bob.onInvite = (invite) => {
    incoming.push(invite)
    invite.progress(183, sdp('early'))
  }
  const call = new CallNotes()
  alice.agent.invite({ uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }, call)
  await town.pass(2_000)
  const dialog: InviteDialog | undefined = incoming[0]?.accept(sdp('early'), new Notes())
  await town.pass(100)
  assert.deepEqual([call.provisional, call.answers], [[183], 1])
  assert.equal(bob.transport.arrived.filter((line) => line.startsWith('PRACK')).length, 1)
  dialog?.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual(town.faults, [])
})
