import type { Hours, Interval, Weekday } from '#contract/documents/hours.ts'

/** Whether it is open at an instant, and why. */
export interface HoursDecision {
  state: 'open' | 'closed' | 'holiday'
  /** The `state` of the holiday or exception that closed it, under which flows can branch. Never set while open. */
  named?: string
  /** For a person: which rule decided. */
  because: string
}

/**
 * Decides at `now` (wall milliseconds) in the zone of `hours`, else in `zone`. Local wall time counts: the hour that a change of clocks
 * repeats counts twice, the one it skips never comes. An interval belongs to the day on which it opens (see Interval).
 */
export function decideHours(hours: Hours, zone: string, now: number): HoursDecision {
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(hours.timezone ?? zone)
  const today = local.toPlainDate()
  const minute = local.hour * 60 + local.minute
  const yesterdays = planOf(hours, today.subtract({ days: 1 }))
  const tail = yesterdays.open.find((interval) => runsOver(interval) && minute < minutes(interval.to))
  if (tail !== undefined) return { state: 'open', because: `${yesterdays.because} ${span(tail)}, from the day before` }
  const plan = planOf(hours, today)
  const found = plan.open.find((interval) => minutes(interval.from) <= minute && (runsOver(interval) || minute < minutes(interval.to)))
  if (found !== undefined) return { state: 'open', because: `${plan.because} ${span(found)}` }
  const closed = { state: plan.closed, because: plan.because }
  return plan.named === undefined ? closed : { ...closed, named: plan.named }
}

/** The times of day at which that day's intervals begin and end; an end may be the next day's, or `24:00`. */
export function timesOf(hours: Hours, date: Temporal.PlainDate): string[] {
  return planOf(hours, date).open.flatMap(({ from, to }) => [from, to])
}

interface DayPlan {
  open: readonly Interval[]
  closed: 'closed' | 'holiday'
  named?: string
  because: string
}

/** What counts on one day: the first exception, else the first holiday, else the week. */
function planOf(hours: Hours, date: Temporal.PlainDate): DayPlan {
  const iso = date.toString()
  const exception = hours.exceptions?.find((e) => e.date <= iso && iso <= (e.until ?? e.date))
  if (exception !== undefined) return special(exception, 'closed')
  const holiday = hours.holidays?.find((h) => within(h.date, h.until ?? h.date, iso))
  if (holiday !== undefined) return special(holiday, 'holiday')
  const day = weekdays[date.dayOfWeek - 1] ?? 'mon'
  return { open: hours.weekly.filter((rule) => rule.days.includes(day)), closed: 'closed', because: day }
}

function special(rule: { name: string; open?: Interval[]; state?: string }, closed: 'closed' | 'holiday'): DayPlan {
  const plan = { open: rule.open ?? [], closed, because: rule.name }
  return rule.state === undefined ? plan : { ...plan, named: rule.state }
}

/** Dated when `from` carries a year; else yearly, where a span may run over New Year. */
function within(from: string, until: string, iso: string): boolean {
  if (from.length === iso.length) return from <= iso && iso <= until
  const day = iso.slice(-5)
  return from <= until ? from <= day && day <= until : from <= day || day <= until
}

const weekdays: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const span = (interval: Interval) => `${interval.from}–${interval.to}`
const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
const runsOver = (interval: Interval) => minutes(interval.to) <= minutes(interval.from)
