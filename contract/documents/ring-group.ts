import Type, { type Static } from 'typebox'
import { DialledNumber, Key, Name, document, fields, optional, ref, seconds } from '#contract/documents/fields.ts'
import { Destination } from '#contract/documents/target.ts'

const timing = {
  /** How long this member rings; default: the group's `seconds`. */
  seconds: optional(seconds(3, 300)),
  /** With strategy `steps`: members of step 1 ring first, then those of step 2 and so on, the earlier ones stopping. Default 1. */
  step: optional(Type.Integer({ minimum: 1, maximum: 20, description: 'a step, 1 to 20' }), 1),
}

/** Exactly one of `extension`, `person`, `device`, `external`. Groups do not nest. */
export const GroupMember = Type.Union([
  fields({ extension: ref('extension'), ...timing }),
  fields({ person: ref('person'), ...timing }),
  fields({ device: ref('device'), ...timing }),
  fields({ external: DialledNumber, confirm: optional(Key), ...timing }),
])
export type GroupMember = Static<typeof GroupMember>

/** Several people for one number. */
export const RingGroup = document('ring-group', 'Several people for one number.', {
  name: optional(Name),
  /** `together`: all at once. `in-order`: one after the other, as listed. `steps`: by each member's `step`. */
  strategy: Type.Enum(['together', 'in-order', 'steps']),
  members: Type.Array(GroupMember, { minItems: 1, maxItems: 100 }),
  /** How long a member rings that does not say. Default 20. */
  seconds: optional(seconds(3, 300), 20),
  /** At most so many members ring at the same time; the rest form further steps in the order listed. Default: all. */
  atOnce: optional(Type.Integer({ minimum: 1, maximum: 100, description: 'a whole number of members, 1 to 100' })),
  /** `skip`: a member who is on a call is not rung. `ring`: is rung as well (call waiting). Default: skip. */
  busyMembers: optional(Type.Enum(['skip', 'ring']), 'skip'),
  /** Where the call goes when nobody answers. */
  noAnswer: Destination,
  /** Where it goes when every member is on a call. Default: as `noAnswer`. */
  allBusy: optional(Destination),
  /** Put before the caller's name on the phones that ring. */
  callerNamePrefix: optional(Type.String({ minLength: 1, maxLength: 20, description: 'a text of 1 to 20 characters' })),
  /** The ring its phones are asked for (Alert-Info): `internal`, `external`, or a name that the phones' own settings know, such as `Bellcore-dr3`. */
  ringTone: optional(
    Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$', description: 'the name of a ring: 1 to 32 of A-Z, a-z, 0-9, _ and -' }),
  ),
})
export type RingGroup = Static<typeof RingGroup>
