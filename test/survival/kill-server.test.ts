import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunningSystem } from '#test/system/running-system.ts'
import { Api, calls, caughtUp, domain, historyOf, lostIn, peopled, registered, talking } from '#test/survival/company.ts'

for (const transport of ['udp', 'tcp'] as const) {
  test(`over ${transport} ${calls} talking calls outlive the server`, { timeout: 120_000 }, async (t) => {
    await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
    const api = await Api.of(system)
    await using town = await peopled(system, api, transport)
    const { pairs, beat, everybody } = await talking(town, calls)

    const from = system.lines.length
    const killedAt = performance.now()
    process.kill(await system.pidOf('server'), 'SIGKILL')
    await system.line(/serves again\s+process=server/, from)
    t.diagnostic(`the server was back after ${Math.round(performance.now() - killedAt)} ms`)
    await caughtUp(pairs)
    beat[Symbol.dispose]()
    t.diagnostic(`packets sent ${everybody.reduce((sum, p) => sum + p.talker.sent, 0)}, lost ${lostIn(pairs)}`)
    assert.equal(lostIn(pairs), 0, 'every packet sent while the server was away arrived')

    if (transport === 'tcp') {
      // What a phone does when its connection is gone: it connects again and registers.
      await registered(town)
    }

    const [held, transferred, callerEnds, calleeEnds] = [pairs.slice(0, 10), pairs.slice(10, 15), pairs.slice(15, 30), pairs.slice(30)]
    for (const { caller } of held) {
      const hold = await caller.reinvite('sendonly')
      assert.equal(hold.kind === 'response' && hold.status, 200)
      const back = await caller.reinvite('sendrecv')
      assert.equal(back.kind === 'response' && back.status, 200)
      caller.dialog?.bye()
    }
    for (const [index, { caller }] of transferred.entries()) {
      const target = town.answered(String(1000 + 20 + index))
      const accepted = await caller.dialog?.request('REFER', [['Refer-To', `<sip:${1000 + 20 + index}@${domain}>`]])
      assert.equal(accepted?.kind === 'response' && accepted.status, 202)
      const party = await target
      assert.equal((await caller.ended).kind, 'bye', 'the transferor is let go once the target has answered')
      party.dialog?.bye()
    }
    for (const { caller } of callerEnds) caller.dialog?.bye()
    for (const { callee } of calleeEnds) callee.dialog?.bye()
    const others = [
      ...held.map((p) => p.callee),
      ...callerEnds.map((p) => p.callee),
      ...calleeEnds.map((p) => p.caller),
      ...transferred.map((p) => p.callee),
    ]
    for (const end of await Promise.all(others.map((party) => party.ended))) assert.equal(end.kind, 'bye')

    const rows = await historyOf(api, calls)
    assert.equal(rows.length, calls, 'each call is in the history once')
    for (const row of rows) {
      assert.equal(row.outcome.kind, 'answered')
      assert.ok(row.recovered, 'it is told that the call was taken over')
      assert.ok(row.answeredAt !== null && row.endedAt !== null && row.talkMs === row.endedAt - row.answeredAt)
    }
  })
}
