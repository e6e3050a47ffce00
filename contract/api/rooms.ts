import Type, { type Static } from 'typebox'
import { MonitorMode } from '#contract/facts.ts'

const number = Type.String({ minLength: 1, maxLength: 32 })

/** Somebody in a conference. */
export const ConferenceMemberView = Type.Object({
  /** Names the member to the API. */
  leg: Type.String(),
  call: Type.String(),
  number: Type.String(),
  name: Type.Optional(Type.String()),
  moderator: Type.Boolean(),
  muted: Type.Boolean(),
})

/** A conference of the company, and who is there now. */
export const ConferenceView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** The first extension that leads to it. */
  number: Type.Union([Type.String(), Type.Null()]),
  locked: Type.Boolean(),
  members: Type.Array(ConferenceMemberView),
})
export type ConferenceView = Static<typeof ConferenceView>

export const ConferenceChange = Type.Object({ locked: Type.Boolean() }, { additionalProperties: false })
export type ConferenceChange = Static<typeof ConferenceChange>
export const MemberChange = Type.Object({ muted: Type.Boolean() }, { additionalProperties: false })
export type MemberChange = Static<typeof MemberChange>
/** `to`: as somebody of the company would dial it. */
export const Invitation = Type.Object({ to: number }, { additionalProperties: false })
export type Invitation = Static<typeof Invitation>

/** `hostLeaves`: what then becomes of the two others; default `go-on`. */
export const NewThreeWay = Type.Object(
  { hostLeaves: Type.Optional(Type.Union([Type.Literal('go-on'), Type.Literal('end')])) },
  { additionalProperties: false },
)
export type NewThreeWay = Static<typeof NewThreeWay>

/** Extension `by` wants to be with extension `agent`. */
export const NewMonitor = Type.Object({ by: number, agent: number, mode: MonitorMode }, { additionalProperties: false })
export type NewMonitor = Static<typeof NewMonitor>
export const MonitorChange = Type.Object({ mode: MonitorMode }, { additionalProperties: false })
export type MonitorChange = Static<typeof MonitorChange>

/** A supervisor with somebody who talks. `id`: the supervisor's call; `call`: that of the agent. */
export const MonitorView = Type.Object({
  id: Type.String(),
  call: Type.String(),
  by: Type.String(),
  agent: Type.String(),
  mode: MonitorMode,
})
export type MonitorView = Static<typeof MonitorView>
