import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow, InviteDialog, KeptDialog } from '#sip/agent.ts'
import { CallNotes, type Citizen, MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }

/** A phone has called the server over `transport`; both talk. */
async function talking(transport: 'udp' | 'tcp') {
  const town = new MemoryTown()
  const phone = await town.move('10.0.0.1')
  const server = await town.move('10.0.0.2')
  const notes = new Notes()
  const dialogs: InviteDialog[] = []
  server.onInvite = (invite) => void dialogs.push(invite.accept(sdp('answer'), notes))
  const call = new CallNotes()
  phone.agent.invite(
    { uri: `sip:100@10.0.0.2;transport=${transport}`, from: '<sip:201@10.0.0.2>', to: '<sip:100@10.0.0.2>', body: sdp('offer') },
    call,
  )
  await town.pass(500)
  const [dialog] = dialogs
  assert.ok(dialog !== undefined && call.talking !== null)
  return { town, phone, server, notes, call, phones: call.talking, dialog }
}

/** The server dies without a word and comes back with what it kept, sent through JSON as a store would. */
async function reborn(town: MemoryTown, server: Citizen, dialog: InviteDialog, reflow: (kept: KeptDialog) => Flow | null = () => null) {
  const kept = JSON.parse(JSON.stringify(dialog.keep())) as KeptDialog
  await server.transport.close()
  server.agent.close().catch(() => undefined)
  const next = await town.move('10.0.0.2', { reflow })
  const notes = new Notes()
  return { next, notes, dialog: next.agent.adopt(kept, notes) }
}

test('over UDP an adopted dialog goes on: requests of both sides work at once, CSeq above what the earlier life used', async () => {
  const { town, server, dialog, phones, call } = await talking('udp')
  const before = dialog.keep().localSeq
  const life = await reborn(town, server, dialog)
  life.dialog.reinvite(sdp('hold'), (result, acknowledge) => {
    assert.ok(result.kind === 'response' && result.status === 200)
    acknowledge()
  })
  await town.pass(500)
  assert.ok((call.dialog.offers[0]?.headers.cseq.seq ?? 0) > before + 100)
  const info = phones.request('INFO', [])
  await town.pass(500)
  const result = await info
  assert.ok(result.kind === 'response' && result.status === 200)
  life.dialog.bye()
  await town.pass(500)
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('over TCP a request of the phone on its new connection moves the old dialog there', async () => {
  const { town, server, dialog, phones, call } = await talking('tcp')
  const life = await reborn(town, server, dialog)
  const info = phones.request('INFO', [])
  await town.pass(500)
  assert.ok((await info).kind === 'response')
  assert.equal(life.notes.requests.length, 1)
  assert.notEqual(life.dialog.keep().flow.connection, -1)
  life.dialog.bye()
  await town.pass(500)
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('over TCP the server connects to a phone that accepts connections', async () => {
  const { town, server, dialog, call } = await talking('tcp')
  const life = await reborn(town, server, dialog)
  life.dialog.bye()
  await town.pass(500)
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('over TCP from behind address translation a request waits until the phone has registered again', async () => {
  const town = new MemoryTown()
  const phone = new Puppet(town, '198.51.100.7', 31_000)
  const kept: KeptDialog = {
    callId: 'c',
    localTag: 'ours',
    remoteTag: 'theirs',
    localUri: '<sip:100@10.0.0.2>',
    remoteUri: '<sip:201@10.0.0.2>',
    remoteTarget: 'sip:201@192.168.1.5:40000;transport=tcp',
    routeSet: [],
    localSeq: 3,
    remoteSeq: 7,
    flow: {
      transport: 'tcp',
      local: { address: '10.0.0.2', port: 5060 },
      remote: { address: '198.51.100.7', port: 30_000 },
      connection: 4,
    },
    secure: false,
  }
  const server: Citizen = await town.move('10.0.0.2', {
    isLocal: () => false,
    reflow: () => server.registrar.contactsOf('201@10.0.0.2')[0]?.flow ?? null,
  })
  server.identify = () => ({ kind: 'trusted', identity: { id: 'd', aor: '201@10.0.0.2' } })
  phone.onRequest = (request, flow) => phone.answer(request, flow, 200)
  const answered = server.agent.adopt(kept, new Notes()).request('INFO', [])
  await town.pass(3_000)
  assert.equal(phone.requests.length, 0)
  const flow = phone.flowTo('10.0.0.2', 'tcp')
  phone.say(flow, [
    'REGISTER sip:10.0.0.2 SIP/2.0',
    'Via: SIP/2.0/TCP 192.168.1.5;branch=z9hG4bKr',
    'From: <sip:201@10.0.0.2>;tag=f',
    'To: <sip:201@10.0.0.2>',
    'Call-ID: r',
    'CSeq: 1 REGISTER',
    'Contact: <sip:201@192.168.1.5:40001;transport=tcp>;expires=600',
  ])
  await town.pass(100)
  const result = await answered
  assert.ok(result.kind === 'response' && result.status === 200)
  assert.equal(phone.requests[0]?.method, 'INFO')
  assert.ok((phone.requests[0]?.headers.cseq.seq ?? 0) > 3)
})

test('a phone that never comes back: the request fails after its wait, the dialog stays', async () => {
  const { town, server, dialog, phone } = await talking('tcp')
  await phone.transport.close()
  const life = await reborn(town, server, dialog)
  const info = life.dialog.request('INFO', [])
  await town.pass(30_000)
  const result = await info
  assert.ok(result.kind === 'unanswered' && result.why === 'transport')
  assert.deepEqual(life.notes.ended, [])
})

test('a caller whose connection breaks while it rings is a caller who cancelled', async () => {
  const town = new MemoryTown()
  const phone = await town.move('10.0.0.1')
  const server = await town.move('10.0.0.2')
  const cancelled: unknown[] = []
  server.onInvite = (invite) => {
    invite.progress(180)
    invite.onCancelled = (reason) => void cancelled.push(reason)
  }
  const call = new CallNotes()
  phone.agent.invite({ uri: 'sip:100@10.0.0.2;transport=tcp', from: '<sip:201@10.0.0.2>', to: '<sip:100@10.0.0.2>' }, call)
  await town.pass(500)
  phone.transport.drop(phone.transport.open({ transport: 'tcp', address: '10.0.0.2', port: 5060 }) as Flow)
  await town.pass(500)
  assert.deepEqual(cancelled, [null])
  assert.equal(call.failed.length, 1)
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a peer behind address translation gets in-dialog requests over its flow, whatever its Contact says', async () => {
  const town = new MemoryTown()
  const phone = new Puppet(town, '198.51.100.7', 31_000)
  const server = await town.move('10.0.0.2', { isLocal: () => false })
  const dialogs: InviteDialog[] = []
  server.onInvite = (invite) => void dialogs.push(invite.accept(sdp('answer'), new Notes()))
  const flow = phone.flowTo('10.0.0.2')
  const lines = (method: string, tag = ''): string[] => [
    `${method} sip:100@10.0.0.2 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.168.1.5;branch=z9hG4bK${method};rport`,
    'From: <sip:201@10.0.0.2>;tag=f',
    `To: <sip:100@10.0.0.2>${tag}`,
    'Call-ID: nat',
    `CSeq: 1 ${method}`,
    'Contact: <sip:201@192.168.1.5>',
  ]
  phone.say(flow, lines('INVITE'))
  await town.pass(10)
  phone.say(flow, lines('ACK', `;tag=${dialogs[0]?.localTag}`))
  await town.pass(10)
  dialogs[0]?.bye()
  await town.pass(10)
  assert.deepEqual(
    phone.requests.map((r) => `${r.method} ${r.uri}`),
    ['BYE sip:201@192.168.1.5'],
  )
})
