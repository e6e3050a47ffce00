import Type, { type Static } from 'typebox'
import { DialledNumber, E164, Email, Id, Key, Name, document, fields, optional, ref, seconds } from '#contract/documents/fields.ts'
import { RingStep } from '#contract/documents/target.ts'
import { CallerPattern } from '#contract/documents/numbers.ts'

/** The id of a node of the same flow: where this exit leads. */
const Exit = Type.String({ pattern: '^[a-z0-9-]{1,40}$', 'x-exit': true, description: 'the id of a node of this flow' })
const Prompts = Type.Array(ref('prompt'), { minItems: 1, maxItems: 8 })

/** Says something, then goes on. Keys pressed meanwhile are kept for the next menu; with `bargeIn` the first of them also cuts the prompt short. */
export const PlayNode = fields({
  type: Type.Literal('play'),
  prompts: Prompts,
  /** Default: true. */
  bargeIn: optional(Type.Boolean(), true),
  next: Exit,
})
export type PlayNode = Static<typeof PlayNode>

/**
 * Says its prompts and waits for a key. Keys pressed before the menu was reached count (key-ahead). Key 0, unless it is in `keys`, reaches the
 * company's operator. A wrong key or silence plays the matching prompt and the menu again; after `retries` repeats the matching exit is taken.
 */
export const MenuNode = fields({
  type: Type.Literal('menu'),
  prompts: Prompts,
  keys: Type.Record(Key, Exit, { additionalProperties: false }),
  /** Accept extension numbers of the company. A key that also begins an extension waits `digitSeconds` for more digits. Default: false. */
  extensions: optional(Type.Boolean(), false),
  /** A key cuts the prompt short. Without it keys count once the prompt has ended. Default: true. */
  bargeIn: optional(Type.Boolean(), true),
  /** Keys pressed before the menu began count. Default: true. */
  keyAhead: optional(Type.Boolean(), true),
  /** Said before the menu is repeated after a wrong key or an unknown extension. */
  wrongPrompts: optional(Prompts),
  /** Said before the menu is repeated after silence. */
  silencePrompts: optional(Prompts),
  /** Repeats after the first hearing. Default 2. */
  retries: optional(Type.Integer({ minimum: 0, maximum: 9, description: 'a whole number, 0 to 9' }), 2),
  /** From the end of the prompt to silence. Default 5. */
  silenceSeconds: optional(seconds(1, 60), 5),
  /** Between the digits of an extension. Default 3. */
  digitSeconds: optional(seconds(1, 20), 3),
  /** After the last wrong key. Default: the operator, else the call's ending. */
  wrong: optional(Exit),
  /** After the last silence. Default: as `wrong`. */
  silence: optional(Exit),
  /** When a dialled extension, or the operator, does not take the call. Default: the call's ending. */
  noAnswer: optional(Exit),
})
export type MenuNode = Static<typeof MenuNode>

/** Decides by opening hours. A holiday or exception with a `state` named in `states` goes there; else holidays go to `holiday`, or `closed` without it. */
export const HoursNode = fields({
  type: Type.Literal('hours'),
  hours: ref('hours'),
  open: Exit,
  closed: Exit,
  holiday: optional(Exit),
  states: optional(Type.Record(Id, Exit, { maxProperties: 50, additionalProperties: false })),
})
export type HoursNode = Static<typeof HoursNode>

/** Decides by who calls. The first case that fits is taken. */
export const CallerNode = fields({
  type: Type.Literal('caller'),
  cases: Type.Array(
    fields({
      list: optional(ref('caller-list')),
      numbers: optional(Type.Array(CallerPattern, { minItems: 1, maxItems: 200 })),
      /** Fits a caller who withholds the number. */
      anonymous: optional(Type.Boolean(), false),
      next: Exit,
    }),
    { minItems: 1, maxItems: 50 },
  ),
  otherwise: Exit,
})
export type CallerNode = Static<typeof CallerNode>

const ringExits = {
  /** Nobody took the call in time, or somebody declined it. */
  noAnswer: Exit,
  /** All that could be rung were on calls. Default: as `noAnswer`. */
  busy: optional(Exit),
  /** No phone is registered, or no trunk took the call. Default: as `noAnswer`. */
  unreachable: optional(Exit),
}

/** Rings, step after step, until somebody answers. What is rung has no say in what follows: this node's exits count, not a group's. */
export const RingNode = fields({
  type: Type.Literal('ring'),
  steps: Type.Array(RingStep, { minItems: 1, maxItems: 20 }),
  /** What the caller hears meanwhile, in a loop; default: the ringing tone. */
  music: optional(Prompts),
  ...ringExits,
})
export type RingNode = Static<typeof RingNode>

/** Rings a number outside. */
export const ExternalNode = fields({
  type: Type.Literal('external'),
  number: DialledNumber,
  /** Default 30. */
  seconds: optional(seconds(3, 300), 30),
  /** The key that the callee must press to take the call, so that a voicemail there cannot. */
  confirm: optional(Key),
  /** `company`: our own number (default). `caller`: that of the caller, where the trunk allows it. Or one of ours. */
  callerId: optional(Type.Union([Type.Enum(['company', 'caller']), E164]), 'company'),
  music: optional(Prompts),
  ...ringExits,
})
export type ExternalNode = Static<typeof ExternalNode>

/** Switches recording of this call on or off, from here on. */
export const RecordNode = fields({
  type: Type.Literal('record'),
  on: Type.Boolean(),
  mailTo: optional(Type.Array(Email, { minItems: 1, maxItems: 20 })),
  next: Exit,
})
export type RecordNode = Static<typeof RecordNode>

/** Goes on in another flow, for good. */
export const GotoNode = fields({ type: Type.Literal('goto'), flow: ref('flow') })
export type GotoNode = Static<typeof GotoNode>

/** Says goodbye and hangs up. */
export const HangupNode = fields({
  type: Type.Literal('hangup'),
  prompts: optional(Prompts),
  /** What history will say. Default: completed. */
  reason: optional(Type.Enum(['completed', 'no-answer', 'busy', 'barred', 'rejected']), 'completed'),
})
export type HangupNode = Static<typeof HangupNode>

export const FlowNode = Type.Union([PlayNode, MenuNode, HoursNode, CallerNode, RingNode, ExternalNode, RecordNode, GotoNode, HangupNode])
export type FlowNode = Static<typeof FlowNode>
export type FlowNodeType = FlowNode['type']

/** What a caller goes through: nodes, and which leads to which. */
export const Flow = document('flow', 'What a caller goes through.', {
  name: optional(Name),
  start: Exit,
  nodes: Type.Record(Id, FlowNode, { maxProperties: 500, additionalProperties: false }),
  /** Rules of good practice that do not apply here, by name (`one-scenario`, `no-operator`, ...). Errors cannot be waived. */
  waive: optional(Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,40}$' }), { maxItems: 20 })),
})
export type Flow = Static<typeof Flow>
