import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import { onEndRequest, refuseToWork, standBy, tellReady, type EndRequest } from '#server/keeper/child.ts'
import { standbyFlag } from '#server/keeper/messages.ts'
import { openGiveBack } from '#media/engine/give-back.ts'
import { collectWhenIdle } from '#base/idle-collection.ts'
import { openLog } from '#server/log.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { openSystem, type System } from '#server/system.ts'
import { readSettings, type Settings } from '#server/settings.ts'
import { SettingsError } from '#server/settings-reader.ts'
import { CertificateError } from '#server/certificates/pair.ts'
import { ListenError } from '#sip/transport/port-taken.ts'

const project = join(import.meta.dirname, '..')

/** How long callers who are turned away during the drain should wait. */
const retryAfterSeconds = 30

/** How long a hand-over waits for a moment in which no call is being connected: only those cannot be taken over. */
const quietMs = 20_000

await main()

async function main(): Promise<void> {
  const settings = readOrRefuse()
  if (settings === null) return
  const log = openLog(settings.log.level)
  if (process.argv.includes(standbyFlag)) await standBy()
  let serving = false
  // A fault in one call or request must not end the others; before anything is served, the keeper had better try again.
  const survive = (what: string) => (fault: unknown) => {
    log.error(what, { fault: fault instanceof Error ? fault.stack : String(fault) })
    if (!serving) process.exit(1)
  }
  process.on('uncaughtException', survive('a fault nobody handled'))
  process.on('unhandledRejection', survive('a rejection nobody handled'))
  try {
    const system = await openSystem({ settings, project, clock: systemClock, random: machineRandom(), log })
    const ending = onEndRequest((request) => void end(system, settings, request).finally(() => ending[Symbol.dispose]()))
    serving = true
    tellReady(await system.banner())
    const giveBack = openGiveBack()
    if (giveBack !== null)
      collectWhenIdle({ clock: systemClock, ...system.busyness, collect: giveBack, resident: () => process.memoryUsage.rss() })
  } catch (fault) {
    if (
      fault instanceof ListenError ||
      fault instanceof CertificateError ||
      (fault instanceof Error && 'code' in fault && fault.code === 'EADDRINUSE')
    )
      refuseToWork(fault.message)
    else throw fault
  }
}

function readOrRefuse(): Settings | null {
  try {
    return readSettings({ environment: process.env, project })
  } catch (fault) {
    if (!(fault instanceof SettingsError)) throw fault
    refuseToWork(fault.message)
    return null
  }
}

/**
 * `drain`: calls go on until the last has ended or the limit is reached. `orphaned` and `hand-over`: nothing is ended, the next life takes the
 * calls over; with a hand-over everything is on disk before.
 */
async function end(system: System, settings: Settings, request: EndRequest): Promise<void> {
  if (request === 'orphaned') process.exit(1)
  if (request === 'hand-over') {
    await system.handOver(quietMs)
    process.exit(0)
  }
  if (request === 'drain') {
    const limit = Promise.withResolvers<void>()
    const timer = systemClock.after(settings.calls.drainLimitMs, () => limit.resolve())
    await Promise.race([system.drained(retryAfterSeconds), limit.promise])
    timer[Symbol.dispose]()
  }
  await system.close()
  process.exit(0)
}
