import { decideHours } from '#flows/hours.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'

const minuteMs = 60_000
/** As far ahead as a closing time is looked for. */
const horizonMs = 48 * 60 * minuteMs
const strideMs = 15 * minuteMs

/** When a login that began at `since` ends, in wall time: after so many hours, or when the company closes, whichever is first; null: not by itself. */
export function endOfLogin(config: CompiledConfig, since: number): number | null {
  const { hours, untilClosed } = config.settled.hotDesk
  const ends = [
    hours === null ? null : since + hours * 60 * minuteMs,
    untilClosed === null ? null : closingAfter(config, untilClosed, since),
  ]
  const known = ends.filter((end) => end !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/** Who logs in while it is closed stays until the next time that it closes. */
function closingAfter(config: CompiledConfig, id: string, since: number): number | null {
  const hours = config.hours.get(id)
  if (hours === undefined) return null
  const isOpen = (at: number): boolean => decideHours(hours, config.company.timezone, at).state === 'open'
  let wasOpen = isOpen(since)
  for (let at = since + strideMs; at <= since + horizonMs; at += strideMs) {
    const open = isOpen(at)
    if (wasOpen && !open) {
      let closed = Math.ceil((at - strideMs + 1) / minuteMs) * minuteMs
      while (isOpen(closed)) closed += minuteMs
      return closed
    }
    wasOpen = open
  }
  return null
}
