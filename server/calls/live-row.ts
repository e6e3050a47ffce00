import type { Call } from '#calls/call.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import type { CallRow } from '#server/history/index.ts'

/** A call in progress as history will have it. */
export function liveRow(log: CallLog, call: Call): CallRow | null {
  return log.row(call.identity.tenant, call.id)
}
