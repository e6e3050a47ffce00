import assert from 'node:assert/strict'
import { test } from 'node:test'
import { centrala } from '#test/operation/command.ts'
import { Api, callPair, caughtUp, historyOf, longestGap, lostIn, peopled, registered, talking } from '#test/survival/company.ts'
import { RunningSystem } from '#test/system/running-system.ts'

for (const transport of ['udp', 'tcp'] as const) {
  test(`a rolling restart keeps every call over ${transport}`, { timeout: 180_000 }, async (t) => {
    await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
    const api = await Api.of(system)
    await using town = await peopled(system, api, transport)
    const { pairs, beat } = await talking(town, 20)
    const before = [await system.pidOf('server'), await system.pidOf('engine-0')]

    const restarted = await centrala(['restart'], system.environment)
    assert.equal(restarted.code, 0, restarted.text)
    assert.match(restarted.text, /engine-0 serves anew, \d+ ms/)
    assert.match(restarted.text, /server serves anew, \d+ ms/)
    await caughtUp(pairs)
    const after = [await system.pidOf('server'), await system.pidOf('engine-0')]
    assert.ok(before.every((pid, index) => pid !== after[index]))
    assert.ok(system.lines.some((line) => line.includes('recovered=20  lost=0')))
    t.diagnostic(`${restarted.text.trim().replaceAll('\n', ' ')} The longest silence was ${longestGap(pairs)} ms, lost ${lostIn(pairs)}.`)

    if (transport === 'tcp') await registered(town)
    const fresh = await callPair(town, 40)
    await fresh.caller.talker.heard
    beat[Symbol.dispose]()
    for (const { caller } of [...pairs, fresh]) caller.dialog?.bye()
    for (const { callee } of [...pairs, fresh]) assert.equal((await callee.untilEnded()).kind, 'bye')
    for (const row of await historyOf(api, 21)) assert.equal(row.outcome.kind, 'answered')
  })
}

for (const name of ['server', 'engine-0'] as const) {
  test(`a frozen ${name} is noticed and replaced, and its calls go on`, { timeout: 180_000 }, async (t) => {
    await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
    const api = await Api.of(system)
    await using town = await peopled(system, api, 'udp')
    const { pairs, beat } = await talking(town, 5)
    await system.kept(/"kind":"talking"/, 5)
    const from = system.lines.length
    const frozenAt = performance.now()
    process.kill(await system.pidOf(name), 'SIGSTOP')
    await system.line(new RegExp(`is frozen and is killed\\s+process=${name}`), from)
    await system.line(new RegExp(`serves again\\s+process=${name}`), from)
    t.diagnostic(`it served again after ${Math.round(performance.now() - frozenAt)} ms`)
    await caughtUp(pairs)
    beat[Symbol.dispose]()
    for (const { caller } of pairs) caller.dialog?.bye()
    for (const row of await historyOf(api, 5)) assert.equal(row.outcome.kind, 'answered')
  })
}
