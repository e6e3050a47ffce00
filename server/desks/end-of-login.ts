import type { Hours } from '#contract/documents/hours.ts'
import { decideHours, timesOf } from '#flows/hours.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** So far from now, back and ahead, a closing is looked for. What lies farther ahead is found by looking again. */
const horizonMs = 35 * dayMs
/** To be asked again after so long at the latest: well before the horizon, and sooner than a timer of Node's can count no further. */
export const lookAgainMs = 7 * dayMs

/**
 * When a login that began at `since` ends, in wall time: after so many hours, or when the company closes, whichever is first. `open`: not in
 * the weeks ahead of `now`, so ask again. `never`: not by itself.
 */
export function endOfLogin(config: CompiledConfig, since: number, now: number): number | 'open' | 'never' {
  const { hours: most, untilClosed } = config.settled.hotDesk
  const hours = untilClosed === null ? undefined : config.hours.get(untilClosed)
  const ends = [
    most === null ? null : since + most * 60 * minuteMs,
    hours === undefined ? null : closingAfter({ hours, zone: hours.timezone ?? config.company.timezone }, since, now),
  ]
  const known = ends.filter((end) => end !== null)
  if (known.length > 0) return Math.min(...known)
  return hours === undefined ? 'never' : 'open'
}

/** Who logs in while it is closed stays until the next time that it closes. */
function closingAfter({ hours, zone }: { hours: Hours; zone: string }, since: number, now: number): number | null {
  const isOpen = (at: number): boolean => decideHours(hours, zone, at).state === 'open'
  let before = Math.max(since, now - horizonMs)
  let wasOpen = isOpen(before)
  let date = Temporal.Instant.fromEpochMilliseconds(before).toZonedDateTimeISO(zone).toPlainDate()
  while (before < now + horizonMs) {
    for (const at of turnsOf(hours, zone, date)) {
      if (at <= before) continue
      const open = isOpen(at)
      if (wasOpen && !open) return firstClosed(before, at, isOpen)
      before = at
      wasOpen = open
    }
    date = date.add({ days: 1 })
  }
  return null
}

/** The instants of a day at which it may open or close. Midnight is one: the day's own rules begin. */
function turnsOf(hours: Hours, zone: string, date: Temporal.PlainDate): number[] {
  const times = new Set(['00:00', ...timesOf(hours, date.subtract({ days: 1 })), ...timesOf(hours, date)])
  times.delete('24:00')
  return [...times].map((time) => date.toZonedDateTime({ timeZone: zone, plainTime: time }).epochMilliseconds).sort((a, b) => a - b)
}

/** Where a change of clocks skips the hour of closing, it closed with the change: before `at`, at which it is closed. */
function firstClosed(before: number, at: number, isOpen: (at: number) => boolean): number {
  let closed = at
  while (closed - minuteMs > before && !isOpen(closed - minuteMs)) closed -= minuteMs
  return closed
}
