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
