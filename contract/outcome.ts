import Type, { type Static } from 'typebox'

/** Who is responsible for how a leg or call ended. */
export const Party = Type.Union([
  Type.Literal('caller'),
  Type.Literal('callee'),
  Type.Literal('carrier'),
  Type.Literal('us'),
  Type.Literal('nobody'),
])
export type Party = Static<typeof Party>

/** What happened, in one word; the vocabulary of history, reports and flows. */
export const OutcomeKind = Type.Union([
  /** It was answered and ended normally; `by` hung up. */
  Type.Literal('answered'),
  /** Somebody else took the call while this leg rang: never a missed call. */
  Type.Literal('answered-elsewhere'),
  Type.Literal('busy'),
  Type.Literal('no-answer'),
  Type.Literal('rejected'),
  /** The caller gave up before an answer. */
  Type.Literal('cancelled'),
  /** Picked up outside, and the key that takes the call was not pressed: a voicemail, or somebody who did not want it. */
  Type.Literal('not-confirmed'),
  /** The caller hung up in a greeting or menu, or while others rang, before anybody of the company spoke with them. */
  Type.Literal('abandoned'),
  /** Somebody asked to be connected and did not pick up their own phone: nobody else was called. */
  Type.Literal('not-begun'),
  /** No device is registered, or no trunk could be reached. */
  Type.Literal('unreachable'),
  /** The number does not exist or is not allocated. */
  Type.Literal('wrong-number'),
  /** Barred by policy: permission, cap, block list. */
  Type.Literal('barred'),
  Type.Literal('overloaded'),
  /** Audio stopped arriving. */
  Type.Literal('media-lost'),
  /** The longest allowed call was reached. */
  Type.Literal('too-long'),
  /** Handed over to somebody else. */
  Type.Literal('transferred'),
  /** A flow came to its end and hung up. */
  Type.Literal('completed'),
  /** Something broke: `detail` says what. */
  Type.Literal('failed'),
])
export type OutcomeKind = Static<typeof OutcomeKind>

/** How a leg or call ended: a value, never an exception. */
export const Outcome = Type.Object({
  kind: OutcomeKind,
  by: Party,
  /** SIP status of the leg's INVITE or of the refusal, where there was one. */
  sip: Type.Optional(Type.Integer({ minimum: 100, maximum: 699 })),
  /** Q.850 cause (RFC 3326), where one was given. */
  q850: Type.Optional(Type.Integer({ minimum: 1, maximum: 127 })),
  /** One sentence for a person. */
  detail: Type.Optional(Type.String()),
})
export type Outcome = Static<typeof Outcome>
