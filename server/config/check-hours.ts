import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Exception, Holiday, Hours, Interval } from '#contract/documents/hours.ts'
import { unwise, wrong, type Complaint } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** Time zones exist, dates exist, spans run forward, intervals of a day do not overlap. */
export function hoursChecks(documents: readonly ConfigDocument[]): Complaint[] {
  const zoned = [...ofKind(documents, 'company'), ...ofKind(documents, 'hours')]
  const zones = zoned.filter((d) => d.timezone !== undefined && !isTimeZone(d.timezone))
  return [
    ...zones.map((d) => wrong('unknown-time-zone', d, ['timezone'], `there is no time zone ${d.timezone}`)),
    ...ofKind(documents, 'hours').flatMap((hours) => [...weekly(hours), ...days(hours)]),
  ]
}

/** Whether this machine's calendar knows the zone. */
function isTimeZone(name: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

function weekly(hours: Hours): Complaint[] {
  return hours.weekly.flatMap((rule, i) => {
    const earlier = hours.weekly.slice(0, i).find((other) => other.days.some((day) => rule.days.includes(day)) && overlap(other, rule))
    return earlier === undefined
      ? []
      : [wrong('overlapping-hours', hours, ['weekly', i], `${span(rule)} overlaps ${span(earlier)} of the same day`)]
  })
}

function days(hours: Hours): Complaint[] {
  return [
    ...(hours.holidays ?? []).flatMap((holiday, i) => special(hours, holiday, ['holidays', i])),
    ...(hours.exceptions ?? []).flatMap((exception, i) => [
      ...special(hours, exception, ['exceptions', i]),
      ...hidden(hours, exception, i),
    ]),
  ]
}

function special(hours: Hours, rule: Holiday | Exception, path: Complaint['path']): Complaint[] {
  const { date, until = date, open = [] } = rule
  const complaints: Complaint[] = []
  if (!isDate(date)) complaints.push(wrong('no-such-date', hours, [...path, 'date'], `there is no day ${date}`))
  if (!isDate(until)) complaints.push(wrong('no-such-date', hours, [...path, 'until'], `there is no day ${until}`))
  if (date.length !== until.length) {
    complaints.push(wrong('bad-span', hours, [...path, 'until'], 'date and until are both of one year, or both of every year'))
  } else if (date.length > 5 && until < date) {
    complaints.push(wrong('bad-span', hours, [...path, 'until'], `${until} is before ${date}`))
  }
  for (const [i, interval] of open.entries()) {
    if (open.slice(0, i).some((other) => overlap(other, interval))) {
      complaints.push(wrong('overlapping-hours', hours, [...path, 'open', i], `${span(interval)} overlaps an earlier interval`))
    }
  }
  return complaints
}

/** The first exception of a day counts: a later one that shares days with it may not do what its author thinks. */
function hidden(hours: Hours, exception: Exception, i: number): Complaint[] {
  const last = exception.until ?? exception.date
  const earlier = hours.exceptions?.slice(0, i).find((other) => other.date <= last && exception.date <= (other.until ?? other.date))
  return earlier === undefined
    ? []
    : [unwise('hidden-exception', hours, ['exceptions', i], `${earlier.name} comes first on days of ${exception.name}`)]
}

/** Yearly days may be 29 February. */
function isDate(day: string): boolean {
  try {
    Temporal.PlainDate.from(day.length > 5 ? day : `2024-${day}`, { overflow: 'reject' })
    return true
  } catch {
    return false
  }
}

const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))
const span = (interval: Interval) => `${interval.from}–${interval.to}`

function overlap(a: Interval, b: Interval): boolean {
  const [aFrom, aTo] = range(a)
  const [bFrom, bTo] = range(b)
  return aFrom < bTo && bFrom < aTo
}

function range(interval: Interval): [number, number] {
  const from = minutes(interval.from)
  const to = minutes(interval.to)
  return [from, to <= from ? to + 1440 : to]
}
