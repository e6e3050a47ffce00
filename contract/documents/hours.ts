import Type, { type Static } from 'typebox'
import { Id, Name, TimeZone, document, fields, optional } from '#contract/documents/fields.ts'

export const Weekday = Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])
export type Weekday = Static<typeof Weekday>

/** `00:00` to `24:00`, local wall time. */
const Opens = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'a time of day from 00:00 to 23:59' })
const Closes = Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$', description: 'a time of day from 00:00 to 24:00' })

/**
 * Open from `from` until just before `to`. When `to` is not later than `from`, it lies on the next day (22:00 to 06:00). An interval belongs
 * to the day on which it opens: a night shift that opened before a holiday runs to its end, and a holiday's own night shift runs out of it.
 */
export const Interval = fields({ from: Opens, to: Closes })
export type Interval = Static<typeof Interval>
const Intervals = Type.Array(Interval, { maxItems: 10 })

/** `2027-01-07`, or `01-07` for every year. */
const Day = Type.String({
  pattern: '^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$',
  description: 'a date such as 2027-01-07, or 01-07 for every year',
})
const DatedDay = Type.String({
  pattern: '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$',
  description: 'a date such as 2027-01-07',
})

/** One or more days off the ordinary week, yearly or dated. Yearly spans may run over New Year (12-31 to 01-08). */
export const Holiday = fields({
  name: Name,
  date: Day,
  /** Last day, included; default: one day. Yearly exactly if `date` is. */
  until: optional(Day),
  /** When it is open all the same. Default: never. */
  open: optional(Intervals),
  /** A name under which flows can branch to a greeting of its own (`new-year`). */
  state: optional(Id),
})
export type Holiday = Static<typeof Holiday>

/** Dated days that override the week and the holidays: a moved working Saturday, a closure. Outside `open` it is closed, not holiday. */
export const Exception = fields({
  name: Name,
  date: DatedDay,
  until: optional(DatedDay),
  open: optional(Intervals),
  state: optional(Id),
})
export type Exception = Static<typeof Exception>

/** When the company, or a part of it, is open. The first of exceptions, holidays and week that knows the day decides. */
export const Hours = document('hours', 'When the company, or a part of it, is open.', {
  name: optional(Name),
  /** Default: the company's. */
  timezone: optional(TimeZone),
  weekly: Type.Array(fields({ days: Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true }), from: Opens, to: Closes }), {
    maxItems: 50,
  }),
  holidays: optional(Type.Array(Holiday, { maxItems: 200 })),
  exceptions: optional(Type.Array(Exception, { maxItems: 400 })),
})
export type Hours = Static<typeof Hours>
