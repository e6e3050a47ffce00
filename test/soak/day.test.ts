import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Held } from '#test/soak/house.ts'
import type { Lived } from '#test/soak/live.ts'

/** The company's configuration is changed every hour, and 16 versions are kept: from then on nothing may grow. */
const settledAfter = 17
/** What compiled code grows by, and what happens to be under way; a leak of 500 bytes a call is more than this. */
const mostGrowth = 600_000

/** What may be left when everybody has gone: nothing but what stands as long as the system does. */
const empty: Partial<Held> = {
  ...{ calls: 0, endpoints: 0, enginePairs: 0, recordings: 0, dialogs: 0, servers: 0, registrations: 0, subscriptions: 0 },
  ...{ openCalls: 0, undrained: 0, busyTrunkChannels: 0 },
}
/** A carrier is asked now and then whether it is there: a transaction with its timers. */
const carriersWatched = 4

/** Facts of a day, at the least: a scene that does not happen any more would test nothing. */
const told: Record<string, number> = {
  ...{ 'call.started': 3_500, 'leg.answered': 3_500, 'bridge.joined': 1_500, 'recording.ended': 30, 'conference.joined': 250 },
  ...{ 'transfer.completed': 50, 'call.joined': 20, 'call.parked': 50, 'call.picked-up': 50, 'leg.held': 70, 'callback.requested': 40 },
  ...{ 'trunk.went-down': 15, 'trunk.passed-over': 50, 'device.unregistered': 50, 'message.sent': 70, 'digit.pressed': 30 },
}

test('after a day of mixed calls nothing is left of them, and memory does not grow', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'live.ts'), '20261128', '24', '200'])
  const lived = JSON.parse(stdout) as Lived
  for (const [i, { held }] of lived.hours.entries()) {
    const { calls, endpoints, dialogs, recordings, busyTrunkChannels, registrations } = held
    const left = { calls, endpoints, dialogs, recordings, busyTrunkChannels, isRegistered: registrations > 30 }
    assert.deepEqual(left, { calls: 0, endpoints: 0, dialogs: 0, recordings: 0, busyTrunkChannels: 0, isRegistered: true }, `hour ${i + 1}`)
  }
  const heap = lived.hours.map(({ heapBytes }) => heapBytes)
  const growth = (heap.at(-1) ?? 0) - (heap[settledAfter - 1] ?? 0)
  assert.ok(growth < mostGrowth, `heap after each hour: ${heap.map((bytes) => (bytes / 1e6).toFixed(2)).join(' ')} MB`)
  assert.deepEqual(lived.after, { ...lived.after, ...empty })
  assert.ok(lived.after.timers <= carriersWatched, `${lived.after.timers} timers of signalling and calls are left`)
  assert.ok(lived.after.clockTasks <= lived.before.clockTasks, `${lived.after.clockTasks} tasks wait on the clock`)
  assert.deepEqual(lived.faults, [])
  for (const [kind, least] of Object.entries(told)) assert.ok((lived.told[kind] ?? 0) >= least, `${kind}: ${lived.told[kind]} of ${least}`)
})
