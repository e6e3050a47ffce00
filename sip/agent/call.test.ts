import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InviteSpec } from '#sip/agent.ts'
import { CallNotes, MemoryTown, Notes, sdp } from '#sip/agent/memory-town.ts'

const toBob: InviteSpec = { uri: 'sip:bob@10.0.0.2', from: '"Alice" <sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }
const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }

async function alice_and_bob(weather = {}) {
  const town = new MemoryTown(weather)
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  return { town, alice, bob }
}

test('a call is set up, rung, answered and ended by the caller (RFC 3665 §3.1)', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  bob.onInvite = (invite) => {
    invite.progress(180)
    bob.wheel.after(3_000, () => invite.accept(sdp('answer'), notes))
  }
  const call = new CallNotes()
  alice.agent.invite(toBob, call)
  await town.pass(2_000)
  assert.deepEqual(call.provisional, [180])
  await town.pass(2_000)
  assert.equal(call.answers, 1)
  assert.deepEqual(notes.acknowledged, [null])
  call.talking?.bye('Q.850;cause=16')
  await town.pass(1_000)
  assert.deepEqual(notes.ended, [{ kind: 'bye', reason: 'Q.850;cause=16' }])
  assert.deepEqual(call.dialog.ended, [])
  assert.deepEqual(alice.transport.arrived, ['SIP/2.0 180 Ringing', 'SIP/2.0 200 OK', 'SIP/2.0 200 OK'])
  assert.deepEqual(
    bob.transport.arrived.map((line) => line.split(' ')[0]),
    ['INVITE', 'ACK', 'BYE'],
  )
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual(town.faults, [])
})

test('the callee ends the call, and no event follows', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  bob.onInvite = (invite) => {
    const dialog = invite.accept(sdp('answer'), notes)
    bob.wheel.after(5_000, () => dialog.bye())
  }
  const call = new CallNotes()
  alice.agent.invite(toBob, call)
  await town.pass(6_000)
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(notes.ended, [])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('half of all datagrams lost, calls are still set up and ended, and nothing is left', async () => {
  const town = new MemoryTown({ lossPercent: 40, jitterMs: 40, duplicatePercent: 10 }, scattered())
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  const heard: Notes[] = []
  bob.onInvite = (invite) => {
    const notes = new Notes()
    heard.push(notes)
    invite.progress(180)
    bob.wheel.after(1_000, () => invite.accept(sdp('answer'), notes))
  }
  const calls = Array.from({ length: 60 }, () => new CallNotes())
  for (const call of calls) alice.agent.invite(toBob, call)
  await town.pass(40_000)
  for (const call of calls) call.talking?.bye()
  await town.pass(100_000)
  const answered = calls.filter((call) => call.answers === 1).length
  assert.ok(answered >= 57, `${answered} of 60 answered`)
  assert.ok(calls.every((call) => call.answers + call.failed.length === 1))
  assert.deepEqual(await town.leftovers(), nothingLeft)
  assert.deepEqual(town.faults, [])
})

test('an INVITE cancelled while it rings brings 487 and the reason', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const reasons: (string | null)[] = []
  bob.onInvite = (invite) => {
    invite.progress(180)
    invite.onCancelled = (reason) => void reasons.push(reason)
  }
  const call = new CallNotes()
  const invite = alice.agent.invite(toBob, call)
  await town.pass(1_000)
  invite.cancel('SIP;cause=200;text="Call completed elsewhere"')
  invite.cancel()
  await town.pass(1_000)
  assert.deepEqual(reasons, ['SIP;cause=200;text="Call completed elsewhere"'])
  assert.deepEqual(
    call.failed.map((failure) => failure.kind === 'response' && failure.status),
    [487],
  )
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a cancelled INVITE waits for a provisional response before its CANCEL goes out', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const call = new CallNotes()
  town.network.weather.delayMs = 100
  const invite = alice.agent.invite(toBob, call)
  invite.cancel()
  await town.pass(5_000)
  assert.deepEqual(
    bob.transport.arrived.map((line) => line.split(' ')[0]),
    ['INVITE', 'CANCEL', 'ACK'],
  )
  assert.equal(call.failed.length, 1)
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('an answer that crosses the CANCEL is acknowledged and ended', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  town.network.weather.delayMs = 100
  bob.onInvite = (invite) => {
    invite.progress(180)
    bob.wheel.after(250, () => invite.accept(sdp('answer'), notes))
  }
  const call = new CallNotes()
  const invite = alice.agent.invite(toBob, call)
  await town.pass(300)
  invite.cancel()
  await town.pass(3_000)
  assert.equal(call.answers, 0)
  assert.equal(call.failed[0]?.kind, 'unanswered')
  assert.deepEqual(notes.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a 2xx without ACK is repeated at T1 up to T2 for 32 s, then the call is ended', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  bob.onInvite = (invite) => invite.accept(sdp('answer'), notes)
  const call = new CallNotes()
  call.acknowledges = false
  alice.agent.invite(toBob, call)
  await town.pass(31_900)
  assert.equal(alice.transport.arrived.filter((line) => line === 'SIP/2.0 200 OK').length, 11)
  assert.deepEqual(notes.ended, [])
  await town.pass(1_000)
  assert.deepEqual(notes.ended, [{ kind: 'no-ack' }])
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a callee that hangs up before the ACK waits for it', async () => {
  const { town, alice, bob } = await alice_and_bob()
  town.network.weather.delayMs = 200
  bob.onInvite = (invite) => invite.accept(sdp('answer'), new Notes()).bye()
  const call = new CallNotes()
  alice.agent.invite(toBob, call)
  await town.pass(550)
  assert.ok(!alice.transport.arrived.some((line) => line.startsWith('BYE')))
  await town.pass(500)
  assert.deepEqual(call.dialog.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a ringing INVITE repeats its 180 each minute', async () => {
  const { town, alice, bob } = await alice_and_bob()
  bob.onInvite = (invite) => invite.progress(180)
  const call = new CallNotes()
  const invite = alice.agent.invite(toBob, call)
  await town.pass(150_000)
  assert.deepEqual(call.provisional, [180, 180, 180])
  invite.cancel()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('nobody answers in time: the owner is told at once, and the callee is cancelled', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const cancelled: unknown[] = []
  bob.onInvite = (invite) => {
    invite.progress(180)
    invite.onCancelled = (reason) => void cancelled.push(reason)
  }
  const call = new CallNotes()
  alice.agent.invite({ ...toBob, timeoutMs: 15_000 }, call)
  await town.pass(15_100)
  assert.deepEqual(call.failed, [{ kind: 'unanswered', why: 'too-long', detail: 'nobody answered in time' }])
  assert.deepEqual(cancelled, [null])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a silent peer is given up after silenceMs; its late answer is ended', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  bob.onInvite = (invite) => invite.accept(sdp('answer'), notes)
  town.network.weather.delayMs = 1_500
  const call = new CallNotes()
  alice.agent.invite({ ...toBob, silenceMs: 2_000 }, call)
  await town.pass(2_100)
  assert.deepEqual(call.failed, [{ kind: 'unanswered', why: 'timeout', detail: 'the peer is silent' }])
  await town.pass(10_000)
  assert.equal(call.answers, 0)
  assert.deepEqual(notes.ended, [{ kind: 'bye', reason: null }])
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a name that nobody knows fails the call later, not within the call of invite', async () => {
  const { town, alice } = await alice_and_bob()
  const call = new CallNotes()
  alice.agent.invite({ ...toBob, uri: 'sip:bob@nowhere.example' }, call)
  assert.equal(call.failed.length, 0)
  await town.pass(100)
  assert.equal(call.failed.length, 1)
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a redirection reaches the owner with its contacts (RFC 3665 §3.6)', async () => {
  const { town, alice, bob } = await alice_and_bob()
  bob.onInvite = (invite) => invite.reject(302, 'Moved', [['Contact', '<sip:bob@10.0.0.9>']])
  const call = new CallNotes()
  alice.agent.invite(toBob, call)
  await town.pass(100)
  const [failure] = call.failed
  assert.ok(failure?.kind === 'response')
  assert.deepEqual([failure.status, failure.headers.get('Contact')], [302, '<sip:bob@10.0.0.9>'])
})

test('an INVITE without offer gets the offer in the 2xx and the answer in the ACK', async () => {
  const { town, alice, bob } = await alice_and_bob()
  const notes = new Notes()
  bob.onInvite = (invite) => invite.accept(sdp('offer of bob'), notes)
  const call = new CallNotes()
  call.acknowledges = false
  const { body: _, ...offerless } = toBob
  alice.agent.invite(offerless, call)
  await town.pass(50)
  call.talking?.acknowledge(sdp('answer of alice'))
  await town.pass(50)
  assert.deepEqual(
    notes.acknowledged.map((body) => body && Buffer.from(body.bytes).toString()),
    ['answer of alice'],
  )
})

test('an owner that throws costs its own call, which gets 500, and nothing else', async () => {
  const { town, alice, bob } = await alice_and_bob()
  bob.onInvite = () => {
    throw new Error('broken')
  }
  const call = new CallNotes()
  alice.agent.invite(toBob, call)
  await town.pass(1_000)
  assert.equal(town.faults.length, 1)
  assert.deepEqual(
    call.failed.map((failure) => failure.kind === 'response' && failure.status),
    [500],
  )
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

/** Repeatable, but not in step with the messages. */
function scattered() {
  let state = 12_345
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 8
  }
  return {
    hex: (bytes: number) =>
      next()
        .toString(16)
        .padStart(bytes * 2, '0'),
    below: (limit: number) => next() % limit,
  }
}
