import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Api, callPair, calls, caughtUp, hearing, historyOf, lostIn, peopled, talking } from '#test/survival/company.ts'
import { standingStill } from '#test/survival/standing-still.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** How long PostgreSQL is held stopped: long enough that every connection times out. */
const awayMs = Number(process.env['TEST_DATABASE_AWAY_MS'] ?? 12_000)

test('calls neither notice nor forget anything while PostgreSQL stands still', { timeout: 180_000 }, async (t) => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 10)
  using away = await standingStill(system.settings.folders.data)
  const until = performance.now() + awayMs
  let index = pairs.length
  let slowest = 0
  while (performance.now() < until || index < 20) {
    const startedAt = performance.now()
    const pair = await callPair(town, index++ % calls)
    slowest = Math.max(slowest, performance.now() - startedAt)
    const { caller, callee } = pair
    using _talk = town.beat([caller, callee])
    await hearing([pair])
    caller.dialog?.bye()
    await callee.untilEnded()
    await pause(500)
  }
  t.diagnostic(`${index - pairs.length} calls while it was away, the slowest answered after ${Math.round(slowest)} ms`)
  await caughtUp(pairs)
  assert.equal(lostIn(pairs), 0)
  away[Symbol.dispose]()
  for (const { caller } of pairs) caller.dialog?.bye()
  beat[Symbol.dispose]()
  const rows = await historyOf(api, index)
  assert.equal(rows.length, index, 'every call of that time is in the history, once')
  for (const row of rows) assert.equal(row.outcome.kind, 'answered')
})

test('a system ends though its PostgreSQL stands still', { timeout: 180_000 }, async () => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  using _away = await standingStill(system.settings.folders.data)
  assert.equal(await system.stop(), 0)
})
