import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InviteSpec } from '#sip/agent.ts'
import { CallNotes, MemoryTown, sdp } from '#sip/agent/memory-town.ts'

const small: InviteSpec = { uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }
const large: InviteSpec = { ...small, headers: [['Identity', 'x'.repeat(1_100)]] }
const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }

/** Alice and bob, how each INVITE of hers reaches him, and calls that he refuses. */
async function neighbours() {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  const came: string[] = []
  bob.onInvite = (invite) => {
    came.push(invite.flow.transport)
    invite.reject(486)
  }
  const call = async (spec: InviteSpec): Promise<CallNotes> => {
    const notes = new CallNotes()
    alice.agent.invite(spec, notes)
    await town.pass(1_000)
    return notes
  }
  return { town, alice, bob, came, call }
}

test('the first large request goes by UDP, and those after it by the connection that was made beside it', async () => {
  const { town, bob, came, call } = await neighbours()
  for (const spec of [small, large, large, small]) await call(spec)
  assert.deepEqual(came, ['udp', 'udp', 'tcp', 'udp'])
  const [, , moved] = bob.invites
  assert.equal(moved?.request.headers.vias[0]?.transport, 'TCP')
  assert.match(moved?.request.headers.get('Contact') ?? '', /;transport=tcp>/)
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('where the connection fails with the request on it, the same goes by UDP', async () => {
  const { town, alice, bob, came, call } = await neighbours()
  await call(large)
  const stream = alice.transport.streamBeside({ ...flowTo, transport: 'udp' })
  assert.ok(stream !== null)
  alice.agent.invite(large, new CallNotes())
  alice.transport.drop(stream)
  await town.pass(1_000)
  assert.deepEqual(came, ['udp', 'udp'])
  assert.equal(bob.invites[1]?.request.headers.cseq.seq, 3, 'the second went by the connection, and was lost with it')
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a connection that ends over the very request is a failure that is told, and the next way is tried', async () => {
  const { town, alice, came } = await neighbours()
  const send = alice.transport.send.bind(alice.transport)
  let ended = 0
  alice.transport.send = (flow, bytes) => {
    if (flow.connection === null || ended++ > 0) return send(flow, bytes)
    alice.transport.drop(flow)
    return false
  }
  const notes = new CallNotes()
  alice.agent.invite({ ...small, uri: 'sip:bob@10.0.0.2;transport=tcp' }, notes)
  assert.deepEqual(notes.failed, [], 'not before the caller has its call in hand')
  await town.pass(100_000)
  assert.equal(notes.failed.length + came.length, 1)
  assert.deepEqual(town.faults, [])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a phone is asked over the flow that it registered, however large the request', async () => {
  const { came, call } = await neighbours()
  for (let i = 0; i < 2; i++) await call({ ...large, via: { ...flowTo, transport: 'udp' } })
  assert.deepEqual(came, ['udp', 'udp'])
})

const flowTo = { local: { address: '10.0.0.1', port: 5060 }, remote: { address: '10.0.0.2', port: 5060 }, connection: null }
