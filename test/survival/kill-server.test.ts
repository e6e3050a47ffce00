import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api, calls, caughtUp, domain, historyOf, lostIn, type Pair, peopled, registered, talking } from '#test/survival/company.ts'
import type { Party, Town } from '#test/survival/town.ts'
import { within } from '#test/support/within.ts'
import { RunningSystem } from '#test/system/running-system.ts'

for (const transport of ['udp', 'tcp'] as const) {
  test(`over ${transport} ${calls} talking calls outlive the server`, { timeout: 180_000 }, async (t) => {
    await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
    const api = await Api.of(system)
    await using town = await peopled(system, api, transport)
    const { pairs, beat, everybody } = await talking(town, calls)
    await system.kept(/"kind":"talking"/, calls)

    const from = system.lines.length
    const killedAt = performance.now()
    process.kill(await system.pidOf('server'), 'SIGKILL')
    await system.line(/serves again\s+process=server/, from)
    t.diagnostic(`the server was back after ${Math.round(performance.now() - killedAt)} ms`)
    assert.ok(
      system.lines.some((line) => line.includes(`recovered=${calls}  lost=0`)),
      'every call was taken over',
    )
    await caughtUp(pairs)
    const { calls: live } = (await api.ask('GET', '/v1/calls/live')) as { calls: { recovered: boolean; answeredAt: number | null }[] }
    assert.equal(live.length, calls, 'every call is on the screens again')
    assert.ok(live.every((call) => call.recovered && call.answeredAt !== null))
    beat[Symbol.dispose]()
    t.diagnostic(`packets sent ${everybody.reduce((sum, p) => sum + p.talker.sent, 0)}, lost ${lostIn(pairs)}`)
    assert.equal(lostIn(pairs), 0, 'every packet sent while the server was away arrived')

    // What phones on a connection do when it is gone: connect again and register.
    if (transport === 'tcp') await registered(town)
    const [held, transferred, callerEnds, calleeEnds] = [pairs.slice(0, 10), pairs.slice(10, 15), pairs.slice(15, 30), pairs.slice(30)]
    await holdAndResume(held)
    await transferAway(town, transferred)
    for (const { caller } of [...held, ...callerEnds]) caller.dialog?.bye()
    for (const { callee } of calleeEnds) callee.dialog?.bye()
    await allTold([...held, ...callerEnds, ...transferred].map((pair) => pair.callee).concat(calleeEnds.map((pair) => pair.caller)))
    await checkHistory(api)
  })
}

async function holdAndResume(pairs: readonly Pair[]): Promise<void> {
  for (const { caller } of pairs) {
    for (const direction of ['sendonly', 'sendrecv'] as const) {
      const answer = await caller.reinvite(direction)
      assert.equal(answer.kind === 'response' && answer.status, 200)
    }
  }
}

/** Each caller hands its partner to a third phone, which hangs up after a while. */
async function transferAway(town: Town, pairs: readonly Pair[]): Promise<void> {
  for (const [index, { caller }] of pairs.entries()) {
    const third = 1030 + index
    const target = town.answered(String(third))
    const accepted = await caller.dialog?.request('REFER', [['Refer-To', `<sip:${third}@${domain}>`]])
    assert.equal(accepted?.kind === 'response' && accepted.status, 202)
    const party = await within('the call to the third phone', target)
    assert.equal((await caller.untilEnded()).kind, 'bye', 'the transferor is let go once the target has answered')
    party.dialog?.bye()
  }
}

async function allTold(parties: readonly Party[]): Promise<void> {
  for (const end of await Promise.all(parties.map((party) => party.untilEnded()))) assert.equal(end.kind, 'bye')
}

async function checkHistory(api: Api): Promise<void> {
  const rows = await historyOf(api, calls)
  assert.equal(rows.length, calls, 'each call is in the history once')
  for (const row of rows) {
    assert.equal(row.outcome.kind, 'answered')
    assert.ok(row.recovered, 'it is told that the call was taken over')
    assert.ok(row.answeredAt !== null && row.endedAt !== null && row.talkMs === row.endedAt - row.answeredAt)
  }
}
