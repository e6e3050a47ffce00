import type { Log } from '#base/log.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import type { History } from '#server/history/index.ts'
import type { EventStream } from '#server/realtime/events.ts'

export interface RecallNeeds {
  /** Calls that were open when this process began. */
  calls: readonly { tenant: string; call: string }[]
  live: Pick<LiveCalls, 'get'>
  log: CallLog
  history: Pick<History, 'timeline'>
  events: Pick<EventStream, 'resync'>
  trouble: Log
}

/**
 * Asks the database for the beginnings of long calls: the journal forgets what the database has. Until they are here such a call goes on
 * and is on no screen; then its company's screens are told to look again. To be called whenever the database is there.
 */
export async function recallBeginnings({ calls, live, log, history, events, trouble }: RecallNeeds): Promise<void> {
  const without = calls.filter(({ tenant, call }) => live.get(tenant, call) !== null && !log.hasBeginning(tenant, call))
  try {
    for (const { tenant, call } of without) log.recall(tenant, call, await history.timeline(tenant, call))
  } catch (fault) {
    trouble.warn('the beginnings of running calls are not known yet', { fault: String(fault) })
  }
  for (const tenant of new Set(without.map((each) => each.tenant))) events.resync(tenant)
}
