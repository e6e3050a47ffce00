import Type, { type Static } from 'typebox'
import { E164, Email, Name, document, optional, ref } from '#contract/documents/fields.ts'
import { Target } from '#contract/documents/target.ts'

/** A public number of the company. */
export const PublicNumber = document('number', 'A public number of the company, and where its calls go.', {
  number: E164,
  name: optional(Name),
  target: Target,
  /** A recording policy, which then covers this number beside those it names itself. */
  recording: optional(ref('recording')),
  /** Put before the caller's name on the phones that ring: which door the caller came through. */
  callerNamePrefix: optional(Type.String({ minLength: 1, maxLength: 20, description: 'a text of 1 to 20 characters' })),
  /** What a held or parked caller hears who called it, in a loop; default: the company's. */
  musicOnHold: optional(Type.Array(ref('prompt'), { minItems: 1, maxItems: 20 })),
})
export type PublicNumber = Static<typeof PublicNumber>

export const CallDirection = Type.Enum(['inbound', 'outbound', 'internal'])
export type CallDirection = Static<typeof CallDirection>

/**
 * Which calls are recorded. A call is recorded when every scope that is given matches; no scope at all means every call. Numbers that name the policy belong to its `numbers`. A caller from
 * outside must hear that the call is recorded before it is: the flows that such calls enter are refused without a notice.
 */
export const Recording = document('recording', 'Which calls are recorded, and who is sent the recording.', {
  name: optional(Name),
  directions: optional(Type.Array(CallDirection, { minItems: 1, maxItems: 3, uniqueItems: true })),
  numbers: optional(Type.Array(ref('number'), { minItems: 1, maxItems: 1000 })),
  extensions: optional(Type.Array(ref('extension'), { minItems: 1, maxItems: 1000 })),
  /** Default: opus. */
  format: optional(Type.Enum(['opus', 'wav']), 'opus'),
  mailTo: optional(Type.Array(Email, { minItems: 1, maxItems: 20 })),
  /** Default: kept until somebody deletes it. */
  keepDays: optional(Type.Integer({ minimum: 1, maximum: 3650, description: 'whole days, 1 to 3650' })),
})
export type Recording = Static<typeof Recording>

/**
 * A caller's number, whole or in part: digits with an optional `+`; `?` stands for one digit, a `*` at the start or end for any digits.
 * `+371*` is Latvia, `*4567` any number that ends so.
 */
export const CallerPattern = Type.String({
  pattern: '^(\\*?\\+?[0-9?]{1,20}\\*?)$',
  description: 'a number or part of one, such as +371* or *4567 (? is any digit, * any digits at the start or end)',
})

/** Callers that flows tell apart: customers of a region, important ones, unwanted ones. */
export const CallerList = document('caller-list', 'Callers that flows tell apart.', {
  name: optional(Name),
  numbers: Type.Array(CallerPattern, { minItems: 1, maxItems: 10_000 }),
})
export type CallerList = Static<typeof CallerList>
