import Type, { type Static } from 'typebox'

/** How the RTP of a call is to be captured. */
export const NewCapture = Type.Object(
  {
    /** The payloads, too, not only headers. Default false. */
    audio: Type.Optional(Type.Boolean()),
    /** Default 120. */
    seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 600 })),
  },
  { additionalProperties: false },
)
export type NewCapture = Static<typeof NewCapture>

export const StartedCapture = Type.Object({
  until: Type.Number({ description: 'milliseconds since the Unix epoch' }),
  audio: Type.Boolean(),
})

/** What the doctor found about one thing. `todo`: what to do, in a sentence; empty when nothing. */
export const Finding = Type.Object({
  check: Type.String(),
  state: Type.Union([Type.Literal('well'), Type.Literal('warning'), Type.Literal('bad')]),
  detail: Type.String(),
  todo: Type.String(),
})
export type Finding = Static<typeof Finding>

export const DoctorReport = Type.Object({ findings: Type.Array(Finding) })
