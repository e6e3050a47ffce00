import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { InviteDialog } from '#sip/agent.ts'
import { CallNotes, MemoryTown, Notes, sdp } from '#sip/agent/memory-town.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

// A transaction waits up to 32 s for what may be repeated; thousands of calls end in that time. Each must cost a response's bytes, not a call.
for (const ends of ['caller', 'callee', 'refusal'] as const) {
  test(`transactions that wait hold nobody's call: ended by the ${ends}`, async () => {
    const town = new MemoryTown()
    const alice = await town.move('10.0.0.1')
    const bob = await town.move('10.0.0.2')
    const owners = await called(town, ends)
    await town.pass(1_000)
    // Until the end of a turn a WeakRef holds what it was made of.
    await nextTurn()
    collect()
    // The first call: the last may still stand on the stack or in a register.
    assert.deepEqual(
      owners.slice(0, 2).map((owner) => owner.deref()),
      [undefined, undefined],
    )
    const { transactions } = bob.agent.counts
    assert.ok(transactions.servers > 0, 'the callee waits for repeated requests')
    assert.equal(alice.agent.counts.dialogs, 0)
    assert.deepEqual(await town.leftovers(), { dialogs: 0, clients: 0, servers: 0, timers: 0 })

    /** Two calls, one after the other; gives what their owners held. */
    async function called(where: MemoryTown, how: typeof ends): Promise<WeakRef<object>[]> {
      const held: WeakRef<object>[] = []
      for (let i = 0; i < 2; i++) {
        const caller = new CallNotes()
        const callee = new Notes()
        held.push(new WeakRef(caller), new WeakRef(callee))
        bob.onInvite = (invite) => {
          if (how === 'refusal') invite.reject(486)
          else {
            const dialog = invite.accept(sdp('answer'), callee)
            if (how === 'callee') bob.wheel.after(500, () => dialog.bye())
          }
        }
        alice.agent.invite({ uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body: sdp('offer') }, caller)
        await where.pass(300)
        if (how === 'caller') caller.talking?.bye()
        await where.pass(1_000)
        bob.onInvite = () => undefined
      }
      return held
    }
  })
}

test('a call that talks holds on to nothing of what its caller asked, and goes on hearing what becomes of it', async () => {
  const town = new MemoryTown()
  const alice = await town.move('10.0.0.1')
  const bob = await town.move('10.0.0.2')
  const callee = new Notes()
  const theirs: InviteDialog[] = []
  bob.onInvite = (invite) => void theirs.push(invite.accept(sdp('answer'), callee))
  const calls = [await called(), await called()]
  await nextTurn()
  collect()
  const [first] = calls
  assert.deepEqual(
    first?.held.map((each) => each.deref() === undefined),
    [true, true],
  )
  assert.equal(alice.agent.counts.dialogs, 2)
  const [oneSide, otherSide] = theirs
  oneSide?.reinvite(sdp('another offer'), (_result, acknowledge) => acknowledge())
  await town.pass(300)
  assert.equal(first?.notes.dialog.offers.length, 1)
  oneSide?.bye()
  calls[1]?.notes.talking?.reinvite(sdp('yet another'), (_result, acknowledge) => acknowledge())
  await town.pass(300)
  assert.equal(callee.offers.length, 1)
  otherSide?.bye()
  await town.pass(300)
  assert.deepEqual(
    calls.map(({ notes }) => notes.dialog.ended.map(({ kind }) => kind)),
    [['bye'], ['bye']],
  )
  await town.pass(1_000)
  assert.deepEqual(await town.leftovers(), { dialogs: 0, clients: 0, servers: 0, timers: 0 })

  async function called(): Promise<{ notes: CallNotes; held: WeakRef<object>[] }> {
    const notes = new CallNotes()
    const body = sdp('offer')
    const events = {
      onAnswered: notes.onAnswered.bind(notes),
      onFailed: notes.onFailed.bind(notes),
      dialog: notes.dialog,
    }
    alice.agent.invite({ uri: 'sip:bob@10.0.0.2', from: '<sip:alice@10.0.0.1>', to: '<sip:bob@10.0.0.2>', body }, events)
    await town.pass(300)
    assert.ok(notes.talking)
    return { notes, held: [new WeakRef(body), new WeakRef(events)] }
  }
})
