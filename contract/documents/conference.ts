import Type, { type Static } from 'typebox'
import { Name, Secret, document, optional, ref } from '#contract/documents/fields.ts'

/** A room where callers meet. Extensions, numbers and flows lead to it as `conference`. */
export const Conference = document('conference', 'A room where callers meet.', {
  name: optional(Name),
  /** Digits that callers must enter. Default: nobody is asked, which is for rooms that only extensions of the company reach. */
  pin: optional(Secret),
  /** Digits by which moderators come in: into a locked room, too, and with keys to run it. */
  moderatorPin: optional(Secret),
  /** Default 50. */
  maxMembers: optional(Type.Integer({ minimum: 2, maximum: 200, description: 'a whole number of members, 2 to 200' }), 50),
  /** Who is no moderator comes in muted. Default: false. */
  mutedOnEntry: optional(Type.Boolean(), false),
  /** A beep when somebody comes, two when somebody goes. Default: true. */
  tones: optional(Type.Boolean(), true),
  /** Somebody alone hears the company's music on hold. Default: true. */
  music: optional(Type.Boolean(), true),
  /** Default: false. Callers are not told by the system: say it in a flow before. */
  record: optional(Type.Boolean(), false),
})
export type Conference = Static<typeof Conference>

/** Who may listen to whom. Without such a document nobody may. */
export const Monitoring = document('monitoring', 'Who may listen to the calls of whom.', {
  name: optional(Name),
  /** Extensions of those who may. */
  supervisors: Type.Array(ref('extension'), { minItems: 1, maxItems: 100 }),
  /** Extensions of those who may be listened to. Default: everybody. */
  agents: optional(Type.Array(ref('extension'), { minItems: 1, maxItems: 1000 })),
  /** Default: all three. */
  modes: optional(Type.Array(Type.Enum(['listen', 'whisper', 'barge']), { minItems: 1, maxItems: 3, uniqueItems: true })),
  /** The agent hears a tone when the supervisor comes, and at each change of mode. Default: true. */
  tone: optional(Type.Boolean(), true),
})
export type Monitoring = Static<typeof Monitoring>
