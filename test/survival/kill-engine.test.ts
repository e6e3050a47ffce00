import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api, callPair, caughtUp, historyOf, longestGap, peopled, talking } from '#test/survival/company.ts'
import { RunningSystem } from '#test/system/running-system.ts'

test('calls have audio again on the same ports after their engine was killed', { timeout: 180_000 }, async (t) => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 10)
  const before = await system.pidOf('engine-0')
  const from = system.lines.length
  process.kill(before, 'SIGKILL')
  await system.line(/serves again\s+process=engine-0/, from)
  await caughtUp(pairs)
  t.diagnostic(`the longest silence was ${longestGap(pairs)} ms`)
  assert.notEqual(await system.pidOf('engine-0'), before)
  // Nobody was told a new address: what arrives now goes through the ports of before. And new calls find the engine, too.
  const fresh = await callPair(town, 40)
  await Promise.all([fresh.caller.talker.heard, caughtUp(pairs)])
  beat[Symbol.dispose]()
  for (const { caller } of [...pairs, fresh]) caller.dialog?.bye()
  for (const row of await historyOf(api, pairs.length + 1)) assert.equal(row.outcome.kind, 'answered')
})
