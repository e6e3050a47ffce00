import Type, { type Static } from 'typebox'

/** A phone that people share, and who has logged in there. */
export const DeskView = Type.Object({
  /** Id of the device. */
  device: Type.String(),
  name: Type.String(),
  location: Type.Union([Type.String(), Type.Null()]),
  /** Null: nobody has. */
  login: Type.Union([
    Type.Object({
      person: Type.String(),
      name: Type.String(),
      extension: Type.String(),
      since: Type.Integer({ description: 'milliseconds since the Unix epoch' }),
    }),
    Type.Null(),
  ]),
})
export type DeskView = Static<typeof DeskView>

/** Who is to be logged in. */
export const NewLogin = Type.Object(
  {
    /** It leads to the person. */
    extension: Type.String({ minLength: 1, maxLength: 32 }),
    /** Checked where it is given, and a wrong one counted. */
    pin: Type.Optional(Type.String({ minLength: 1, maxLength: 16 })),
  },
  { additionalProperties: false },
)
export type NewLogin = Static<typeof NewLogin>
