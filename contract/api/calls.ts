import Type, { type Static } from 'typebox'
import { EndpointRef, Fact } from '#contract/facts.ts'
import { Outcome } from '#contract/outcome.ts'
import { LegQuality } from '#contract/quality.ts'
import { ConferenceView } from '#contract/api/rooms.ts'

const instant = Type.Integer({ description: 'milliseconds since the Unix epoch' })
const maybe = <S extends Type.TSchema>(schema: S) => Type.Union([schema, Type.Null()])

export const Direction = Type.Union([Type.Literal('inbound'), Type.Literal('outbound'), Type.Literal('internal')])

/** One leg of a call, as history has it. */
export const LegView = Type.Object({
  leg: Type.String(),
  role: Type.Union([Type.Literal('caller'), Type.Literal('callee')]),
  endpoint: EndpointRef,
  startedAt: instant,
  ringingAt: maybe(instant),
  answeredAt: maybe(instant),
  endedAt: maybe(instant),
  /** Since when it is on hold; absent when it is not. */
  heldAt: Type.Optional(instant),
  outcome: maybe(Outcome),
  /** How its audio came through: told last while it talks, the whole once it is over. Absent while nothing is known. */
  quality: Type.Optional(LegQuality),
})
export type LegView = Static<typeof LegView>

/** What a signed caller's number is worth: `passed` with its attestation, or why not. */
const IdentityVerdict = Type.Object({
  verdict: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('unsure')]),
  attestation: Type.Optional(Type.Union([Type.Literal('A'), Type.Literal('B'), Type.Literal('C')])),
  why: Type.Optional(Type.String()),
})

/** One call: what people mean by it, across transfers and retries. */
export const CallView = Type.Object({
  id: Type.String(),
  direction: Direction,
  from: Type.Object({ number: Type.String(), name: Type.Optional(Type.String()) }),
  to: Type.Object({ number: Type.String() }),
  startedAt: instant,
  answeredAt: maybe(instant),
  /** Null while it goes on. */
  endedAt: maybe(instant),
  ringMs: Type.Number(),
  talkMs: Type.Number(),
  outcome: Outcome,
  answeredBy: maybe(EndpointRef),
  missed: Type.Boolean(),
  trunk: maybe(Type.String()),
  recordings: Type.Array(Type.String()),
  legs: Type.Array(LegView),
  config: Type.Integer(),
  rehearsedAt: maybe(instant),
  recovered: Type.Boolean(),
  /** What the caller’s signature is worth (RFC 8588), while the call goes on; later its timeline says so. Absent: unsigned or not looked at. */
  identity: Type.Optional(IdentityVerdict),
})
export type CallView = Static<typeof CallView>

/** One SIP message of a call, secrets masked. */
export const TracedMessage = Type.Object({
  at: instant,
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  leg: Type.String(),
  transport: Type.String(),
  local: Type.String(),
  remote: Type.String(),
  /** First line. */
  summary: Type.String(),
  text: Type.String(),
})
export type TracedMessage = Static<typeof TracedMessage>

export const CallPageView = Type.Object({ calls: Type.Array(CallView), next: maybe(Type.String()) })
export type CallPageView = Static<typeof CallPageView>
export const TimelineView = Type.Object({ facts: Type.Array(Fact) })
export type TimelineView = Static<typeof TimelineView>
export const LadderView = Type.Object({ messages: Type.Array(TracedMessage), text: Type.String() })
export type LadderView = Static<typeof LadderView>

/** Who is to be called, and by whom. */
export const NewCall = Type.Object(
  {
    /** The extension whose phones ring first. */
    extension: Type.String({ pattern: '^[0-9]{2,6}$' }),
    /** Whom it then reaches, as that person would dial it. */
    to: Type.String({ minLength: 1, maxLength: 32 }),
  },
  { additionalProperties: false },
)
export type NewCall = Static<typeof NewCall>

export const StartedCall = Type.Object({ id: Type.String() })
export type StartedCall = Static<typeof StartedCall>

/** Whom somebody who talks wants to send the other to, or to ask first. */
export const NewTransfer = Type.Object(
  {
    /** The extension of who transfers; the other party is whom it talks with. */
    by: Type.String({ minLength: 1, maxLength: 32 }),
    /** As that person would dial it. */
    to: Type.String({ minLength: 1, maxLength: 32 }),
  },
  { additionalProperties: false },
)
export type NewTransfer = Static<typeof NewTransfer>

/** Whom somebody talks with is to wait in a slot. */
export const NewPark = Type.Object(
  {
    /** The extension of who parks; the other party is whom it talks with. */
    by: Type.String({ minLength: 1, maxLength: 32 }),
    /** Default: the first that is free. */
    slot: Type.Optional(Type.String({ minLength: 1, maxLength: 8 })),
  },
  { additionalProperties: false },
)
export type NewPark = Static<typeof NewPark>

/** Somebody who waits in a slot. */
export const ParkedView = Type.Object({
  slot: Type.String(),
  call: Type.String(),
  /** Empty when it is withheld. */
  number: Type.String(),
  name: Type.Optional(Type.String()),
  since: instant,
  by: maybe(Type.String()),
})

export const FetchParked = Type.Object(
  {
    /** Whose phones ring. */
    extension: Type.String({ minLength: 1, maxLength: 32 }),
  },
  { additionalProperties: false },
)
export type FetchParked = Static<typeof FetchParked>

/** Who is to be called when whom they wanted is free. */
export const NewCallback = Type.Object(
  {
    /** Whose phones ring first. */
    extension: Type.String({ minLength: 1, maxLength: 32 }),
    /** A colleague's extension. */
    to: Type.String({ minLength: 1, maxLength: 32 }),
  },
  { additionalProperties: false },
)
export type NewCallback = Static<typeof NewCallback>

export const CallbackView = Type.Object({ extension: Type.String(), to: Type.String(), until: instant })

/** A person's conversation is to go on at another of their phones. */
export const NewFlip = Type.Object(
  {
    /** The extension under which they talk. */
    by: Type.String({ minLength: 1, maxLength: 32 }),
    /** Id of the device; default: all their others ring. */
    device: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
  },
  { additionalProperties: false },
)
export type NewFlip = Static<typeof NewFlip>

export const NewRehearsal = Type.Object(
  {
    /** Wall time to pretend: an instant (2026-11-21T20:00:00Z), or local time of the company (2026-11-21T20:00). */
    at: Type.String({ minLength: 10, maxLength: 40 }),
  },
  { additionalProperties: false },
)
export const Rehearsal = Type.Object({ ticket: Type.String(), header: Type.String(), at: instant })

/** The first message of the event stream: how things stand. Facts follow, in order. */
export const Snapshot = Type.Object({
  kind: Type.Literal('snapshot'),
  /** Calls in progress. */
  calls: Type.Array(CallView),
  /** Calls ended lately, newest first. */
  ended: Type.Array(CallView),
  extensions: Type.Array(
    Type.Object({
      number: Type.String(),
      name: Type.String(),
      registered: Type.Boolean(),
      busy: Type.Boolean(),
      /** Its phones, and where each is registered: what facts about phones and legs are matched with. */
      devices: Type.Array(Type.Object({ id: Type.String(), contacts: Type.Array(Type.String()) })),
    }),
  ),
  trunks: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), state: Type.String(), inUse: Type.Integer() })),
  /** All that the company has, and who is in them. */
  conferences: Type.Array(ConferenceView),
  /** What the key that asks may do: watch only, or act. */
  may: Type.Union([Type.Literal('watch'), Type.Literal('act')]),
  company: Type.Object({ id: Type.String(), name: Type.String(), timezone: Type.String(), number: maybe(Type.String()) }),
})
export type Snapshot = Static<typeof Snapshot>

/** What the event stream says. `resync`: too much was missed; connect again for a new snapshot. */
export const StreamMessage = Type.Union([
  Snapshot,
  Type.Object({ kind: Type.Literal('fact'), fact: Fact }),
  Type.Object({ kind: Type.Literal('resync') }),
])
export type StreamMessage = Static<typeof StreamMessage>
