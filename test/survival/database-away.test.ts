import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Api, callPair, caughtUp, historyOf, lostIn, peopled, talking } from '#test/survival/company.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** How long PostgreSQL is held stopped: long enough that every connection times out. */
const awayMs = Number(process.env['TEST_DATABASE_AWAY_MS'] ?? 12_000)

/** The postmaster and everything it started. */
async function postgresProcesses(dataFolder: string): Promise<number[]> {
  const postmaster = Number((await readFile(join(dataFolder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(
    all.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      return { pid, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }
    }),
  )
  return [postmaster, ...parents.filter(({ parent }) => parent === postmaster).map(({ pid }) => pid)]
}

/** Some of them may have been ended by PostgreSQL itself. */
function goOn(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGCONT')
    } catch (fault) {
      if (!(fault instanceof Error && 'code' in fault && fault.code === 'ESRCH')) throw fault
    }
  }
}

test('calls neither notice nor forget anything while PostgreSQL stands still', { timeout: 180_000 }, async (t) => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 10)
  const stopped = await postgresProcesses(system.settings.folders.data)
  for (const pid of stopped) process.kill(pid, 'SIGSTOP')
  try {
    const until = performance.now() + awayMs
    let index = pairs.length
    let slowest = 0
    while (performance.now() < until || index < 20) {
      const startedAt = performance.now()
      const { caller, callee } = await callPair(town, index++ % 50)
      slowest = Math.max(slowest, performance.now() - startedAt)
      await caller.talker.heard
      await callee.talker.heard
      caller.dialog?.bye()
      await callee.ended
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    t.diagnostic(`${index - pairs.length} calls while it was away, the slowest answered after ${Math.round(slowest)} ms`)
    await caughtUp(pairs)
    assert.equal(lostIn(pairs), 0)
    goOn(stopped)
    for (const { caller } of pairs) caller.dialog?.bye()
    beat[Symbol.dispose]()
    const rows = await historyOf(api, index)
    assert.equal(rows.length, index, 'every call of that time is in the history, once')
    for (const row of rows) assert.equal(row.outcome.kind, 'answered')
  } finally {
    goOn(stopped)
  }
})
