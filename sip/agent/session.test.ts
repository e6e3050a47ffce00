import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InviteDialog } from '#sip/agent.ts'
import { CallNotes, MemoryTown, Notes, sdp } from '#sip/agent/memory-town.ts'
import type { SessionTimerSettings } from '#sip/dialog/session-timer.ts'

const nothingLeft = { dialogs: 0, clients: 0, servers: 0, timers: 0 }

/** Alice has called Bob; each has its own idea of session timers. */
async function talking(hers: SessionTimerSettings, his: SessionTimerSettings) {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1', { sessions: hers })
  const bob = await town.move('10.0.0.2', { sessions: his })
  const notes = new Notes()
  const dialogs: InviteDialog[] = []
  bob.onInvite = (invite) => void dialogs.push(invite.accept(sdp('answer'), notes))
  const call = new CallNotes()
  alice.agent.invite({ uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }, call)
  await town.pass(1_000)
  const [bobs] = dialogs
  assert.ok(call.talking !== null && bobs !== undefined)
  const count = (citizen: typeof alice, line: RegExp): number => citizen.transport.arrived.filter((each) => line.test(each)).length
  return { town, alice, bob, alices: call.talking, bobs, call, notes, count }
}

const asks = { expires: 1_800, min: 90 }
const never = { expires: 0, min: 90 }

test('the caller asks, refreshes by UPDATE at half the interval, and the call goes on for hours (RFC 4028 §7.4, §10)', async () => {
  const { town, bob, alices, bobs, call, notes, count } = await talking(asks, never)
  assert.deepEqual([alices.keep().session?.refresher, bobs.keep().session?.refresher], ['us', 'peer'])
  assert.equal(alices.keep().session?.expires, 1_800)
  await town.pass(898_000)
  assert.equal(count(bob, /^UPDATE/), 0)
  await town.pass(2_000)
  assert.equal(count(bob, /^UPDATE/), 1)
  await town.pass(3 * 3_600_000)
  assert.equal(count(bob, /^UPDATE/), 13)
  assert.deepEqual([call.dialog.ended, notes.ended], [[], []])
  alices.bye()
  assert.deepEqual(await town.leftovers(), nothingLeft)
})

test('a callee that wants a timer gets one from a caller that did not ask: the caller refreshes', async () => {
  const { alices, bobs } = await talking(never, { expires: 600, min: 90 })
  assert.deepEqual([alices.keep().session?.refresher, bobs.keep().session?.expires], ['us', 600])
})

test('without anybody asking there is no timer', async () => {
  const { alices, bobs } = await talking(never, never)
  assert.deepEqual([alices.keep().session, bobs.keep().session], [undefined, undefined])
})

test('an interval below what the callee allows gets 422, and is asked for again as the callee wants it (RFC 4028 §7.3)', async () => {
  const { alice, bob, alices, count } = await talking({ expires: 100, min: 90 }, { expires: 0, min: 300 })
  assert.equal(count(alice, /422/), 1)
  assert.equal(count(bob, /^INVITE/), 2)
  assert.equal(alices.keep().session?.expires, 300)
})

test('a peer that is gone without a word: the refresh fails, the session ends as expired', async () => {
  const { town, bob, call, notes } = await talking(asks, never)
  await bob.agent.close()
  await town.pass(2_000_000)
  assert.deepEqual(call.dialog.ended, [{ kind: 'expired', detail: 'session expired: the peer is gone' }])
  assert.deepEqual(notes.ended, [])
})

test('a refresher that is gone: the other side ends the session before the interval is over, with a BYE that says why', async () => {
  const { town, alice, bob, notes } = await talking(asks, never)
  await alice.agent.close()
  await town.pass(1_766_000)
  assert.equal(notes.ended.length, 0)
  await town.pass(3_000)
  assert.deepEqual(notes.ended, [{ kind: 'expired', detail: 'session expired: the peer is gone' }])
  assert.ok(bob.agent.counts.dialogs <= 1)
})

test('any re-INVITE of the peer refreshes, too', async () => {
  const { town, alice, alices, notes } = await talking(asks, never)
  await town.pass(800_000)
  alices.reinvite(sdp('hold'), (_result, acknowledge) => acknowledge())
  await town.pass(1_000)
  await alice.agent.close()
  await town.pass(1_700_000)
  assert.equal(notes.ended.length, 0)
  await town.pass(100_000)
  assert.equal(notes.ended[0]?.kind, 'expired')
})

test('the timer survives the death of its server and goes on where it was', async () => {
  const { town, alice, alices, bob, count } = await talking(asks, never)
  await town.pass(300_000)
  const kept = alices.keep()
  await alice.agent.close()
  const next = await town.move('10.0.0.1', { sessions: asks })
  const notes = new Notes()
  next.agent.adopt(kept, notes)
  await town.pass(590_000)
  assert.equal(count(bob, /^UPDATE/), 0)
  await town.pass(20_000)
  assert.equal(count(bob, /^UPDATE/), 1)
  assert.deepEqual(notes.ended, [])
})

test('a peer without UPDATE is refreshed by the session as it stands, in a re-INVITE', async () => {
  const { town, bob, alices, count } = await talking(asks, never)
  const kept = alices.keep()
  assert.ok(kept.session !== undefined)
  const notes = Object.assign(new Notes(), {
    sessionBody: () => sdp('as it stands'),
    onRefreshed: (answer: { bytes: Uint8Array }) => void answers.push(Buffer.from(answer.bytes).toString()),
  })
  const answers: string[] = []
  const alice = await town.move('10.0.0.3', { sessions: asks })
  alice.agent.adopt({ ...kept, session: { ...kept.session, updates: false } }, notes)
  await town.pass(900_000)
  assert.deepEqual([count(bob, /^INVITE/), answers], [2, ['answer']])
})
