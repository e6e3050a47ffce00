import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Log, silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { JournalDrain, openJournalOn } from '#server/journal/index.ts'
import { MemoryFiles } from '#server/journal/memory-files.ts'

/** A journal with a fact in it, and a database that is away until it is told otherwise. */
async function rig() {
  const clock = new VirtualClock(1_000_000)
  const journal = await openJournalOn(new MemoryFiles(), { clock, log: silentLog, windowMs: 2, idleWindowMs: 20 })
  const lines: string[] = []
  const log: Log = { ...silentLog, debug: (line) => lines.push(`debug ${line}`), warn: (line) => lines.push(`warn ${line}`) }
  const database = { isAway: true, written: 0 }
  const write = async (): Promise<void> => {
    if (database.isAway) throw new Error('starting up')
    database.written++
  }
  const raise = async (): Promise<void> => {
    journal.append({ kind: 'trunk.went-up', tenant: 'alfa', trunk: 't' })
    await clock.advanceAsync(1_000)
  }
  return { clock, journal, lines, database, raise, drain: new JournalDrain({ journal, sink: { write }, clock, log }) }
}

test('a database that starts beside us is no news; one that never comes is', async () => {
  const { clock, lines, database, raise, drain } = await rig()
  await raise()
  assert.ok(lines.length > 0)
  assert.deepEqual(
    lines.filter((line) => line.startsWith('warn')),
    [],
  )
  await clock.advanceAsync(20_000)
  assert.match(lines.at(-1) ?? '', /^warn facts wait for the database/)
  database.isAway = false
  await clock.advanceAsync(10_000)
  assert.equal(database.written, 1)
  await drain.close()
})

test('a database that goes away is told of at once', async () => {
  const { lines, database, raise, drain } = await rig()
  database.isAway = false
  await raise()
  assert.equal(database.written, 1)
  database.isAway = true
  await raise()
  assert.match(lines.at(-1) ?? '', /^warn/)
  database.isAway = false
  await drain.close()
})
