import Type, { type Static, type TProperties } from 'typebox'
import { Outcome, Party } from '#contract/outcome.ts'
import { LegQuality } from '#contract/quality.ts'

/**
 * What happened, in the past tense, complete, in order: the journal of a call. Call history, timelines, metrics, webhooks and
 * the event stream are readings of facts; nothing else counts calls.
 */
const common = {
  /** Milliseconds since the Unix epoch. */
  at: Type.Number(),
  tenant: Type.String(),
  /** Absent for facts of the company rather than of a call (`alarm.raised`, `trunk.went-down`). */
  call: Type.Optional(Type.String()),
  /** Order within the call (or within the tenant for company facts), from 1, without gaps. Some facts follow `call.ended` (`recording.ended`, `recording.mailed`). */
  seq: Type.Integer({ minimum: 1 }),
}
function fact<const K extends string, P extends TProperties>(kind: K, properties: P) {
  return Type.Object({ kind: Type.Literal(kind), ...common, ...properties })
}
const leg = { leg: Type.String() }

/** One end of a leg: what was reached, or who called. */
export const EndpointRef = Type.Object({
  kind: Type.Union([Type.Literal('device'), Type.Literal('trunk'), Type.Literal('api')]),
  id: Type.String(),
  /** The extension or number this leg stands for, as a person would dial it. */
  number: Type.String(),
  name: Type.Optional(Type.String()),
  /** The person whose device it is. */
  person: Type.Optional(Type.String()),
})
export type EndpointRef = Static<typeof EndpointRef>

/** `listen`: hears both, heard by nobody. `whisper`: heard by the agent alone. `barge`: heard by both. */
export const MonitorMode = Type.Union([Type.Literal('listen'), Type.Literal('whisper'), Type.Literal('barge')])
export type MonitorMode = Static<typeof MonitorMode>

export const Fact = Type.Union([
  fact('call.started', {
    direction: Type.Union([Type.Literal('inbound'), Type.Literal('outbound'), Type.Literal('internal')]),
    from: Type.Object({ number: Type.String(), name: Type.Optional(Type.String()) }),
    to: Type.Object({ number: Type.String() }),
    /** Whom it had been meant for before it came to us, the latest first (RFC 5806, RFC 7044). */
    diverted: Type.Optional(Type.Array(Type.Object({ number: Type.String(), reason: Type.String() }))),
    /** The configuration version this call keeps to its end. */
    config: Type.Integer(),
    /** Set when the call is a rehearsal: the wall time it pretends. */
    rehearsedAt: Type.Optional(Type.Number()),
  }),
  fact('call.ended', { outcome: Outcome }),
  /**
   * What the signature of a caller's number is worth (RFC 8224, RFC 8588). `passed`: good, and from an authority we trust. `attestation`: how
   * sure the signer is of the number: A fully, B of its customer, C of neither. `late`: the call did not wait for it.
   */
  fact('call.identity-checked', {
    verdict: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('unsure')]),
    attestation: Type.Optional(Type.Union([Type.Literal('A'), Type.Literal('B'), Type.Literal('C')])),
    why: Type.Optional(Type.String()),
    late: Type.Boolean(),
  }),
  /** The server died and took this call over again. */
  fact('call.recovered', { downMs: Type.Number() }),
  /** Somebody captures its packets until then; `audio`: the payloads, too, so that they can be listened to. */
  fact('call.captured', { by: Type.String(), audio: Type.Boolean(), until: Type.Number() }),
  /** Refused, with what the caller was told. `invite`: Call-ID of what was refused, and `tag` of who sent it, where it came before any leg was there. */
  fact('call.refused', {
    reason: Type.String(),
    rule: Type.String(),
    sip: Type.Integer(),
    invite: Type.Optional(Type.String()),
    tag: Type.Optional(Type.String()),
  }),
  /** `sip`: Call-ID of its dialog. */
  fact('leg.started', {
    ...leg,
    role: Type.Union([Type.Literal('caller'), Type.Literal('callee')]),
    endpoint: EndpointRef,
    sip: Type.Optional(Type.String()),
    /** Tag of whoever called us, in the same dialog: a Call-ID alone may be used by others, too. Absent where the Call-ID is ours. */
    tag: Type.Optional(Type.String()),
  }),
  fact('leg.ringing', { ...leg, earlyMedia: Type.Boolean() }),
  /** Picked up outside, and asked to press a key before being connected; `leg.answered` follows when they did. */
  fact('leg.asked', { ...leg, key: Type.String() }),
  /** The same destination was asked again in another way. `why`: `encryption`, offered or left out after the first offer was refused. `sip`: Call-ID of the new dialog. */
  fact('leg.redialled', { ...leg, sip: Type.String(), why: Type.Literal('encryption') }),
  fact('leg.answered', { ...leg }),
  fact('leg.held', { ...leg, by: Party }),
  fact('leg.resumed', { ...leg, by: Party }),
  fact('leg.ended', { ...leg, outcome: Outcome }),
  /** How its audio comes through: while it talks when the class changes, at most every 10 s, and once when it is over (`final`, which may follow `call.ended`). */
  fact('leg.quality', { ...leg, final: Type.Boolean(), quality: LegQuality }),
  fact('bridge.joined', { legs: Type.Array(Type.String()) }),
  fact('bridge.parted', { legs: Type.Array(Type.String()) }),
  fact('flow.entered', { flow: Type.String() }),
  /** The caller reached a step of the flow. `via`: the exit taken from the step before (`open`, `1`, `no-answer`, ...). */
  fact('flow.stepped', { flow: Type.String(), node: Type.String(), type: Type.String(), via: Type.Optional(Type.String()) }),
  fact('flow.left', { flow: Type.String(), why: Type.String() }),
  fact('hours.decided', { hours: Type.String(), state: Type.String(), because: Type.String() }),
  /** The caller pressed nothing of use in a menu. `attempt` from 1. */
  fact('menu.missed', {
    flow: Type.String(),
    node: Type.String(),
    why: Type.Union([Type.Literal('wrong-key'), Type.Literal('wrong-extension'), Type.Literal('silence')]),
    attempt: Type.Integer({ minimum: 1 }),
  }),
  /** `text`: what was said, where it is known; `ms`: how much of it the caller was sent. */
  fact('prompt.played', { ...leg, prompt: Type.String(), text: Type.Optional(Type.String()), ms: Type.Number(), whole: Type.Boolean() }),
  /** `digit`: `•` where it belongs to a PIN. */
  fact('digit.pressed', { ...leg, digit: Type.String(), by: Type.Union([Type.Literal('rtp'), Type.Literal('info')]) }),
  fact('ring.started', { targets: Type.Array(Type.String()), step: Type.Integer(), ms: Type.Number() }),
  fact('ring.ended', { outcome: Outcome, leg: Type.Optional(Type.String()) }),
  /** A trunk was tried for an outbound leg and did not take it. */
  fact('trunk.passed-over', { trunk: Type.String(), why: Type.String() }),
  /** `attended`: the transferor asks first. */
  fact('transfer.requested', { ...leg, to: Type.String(), attended: Type.Optional(Type.Boolean()) }),
  fact('transfer.completed', { ...leg, to: Type.String(), attended: Type.Optional(Type.Boolean()) }),
  /** Two calls have become one: what goes on is told of `into`. */
  fact('call.joined', { into: Type.String() }),
  /** Whom was called wants the call elsewhere (3xx). `why`: it was not followed. */
  fact('leg.redirected', { ...leg, to: Type.Array(Type.String()), followed: Type.Boolean(), why: Type.Optional(Type.String()) }),
  /** A party waits in a slot. `by`: the number of who parked it; absent: the API. */
  fact('call.parked', { ...leg, slot: Type.String(), by: Type.Optional(Type.String()) }),
  /** `by`: the leg that talks with it now. `timeout`: nobody fetched it in time, and it goes where the company wants such calls. */
  fact('call.unparked', {
    ...leg,
    slot: Type.String(),
    why: Type.Union([Type.Literal('picked-up'), Type.Literal('returned'), Type.Literal('timeout'), Type.Literal('left')]),
    by: Type.Optional(Type.String()),
  }),
  /** What rang at `leg` is answered at another phone, whose leg is `by`. */
  fact('call.picked-up', { ...leg, by: Type.String() }),
  /** A person goes on with a call at another of their phones: the leg `by` takes the place of `leg`. */
  fact('call.flipped', { ...leg, by: Type.String() }),
  fact('transfer.failed', { ...leg, to: Type.String(), outcome: Outcome }),
  /** Three parties of one call hear each other, or no longer do. */
  fact('three-way.joined', { legs: Type.Array(Type.String()) }),
  fact('three-way.parted', { legs: Type.Array(Type.String()) }),
  /** `conference`: id of its document. `moderator`: came in by the moderators' PIN. `muted`: came in muted. */
  fact('conference.joined', { ...leg, conference: Type.String(), moderator: Type.Boolean(), muted: Type.Optional(Type.Boolean()) }),
  fact('conference.left', { ...leg, conference: Type.String() }),
  fact('conference.refused', {
    ...leg,
    conference: Type.String(),
    why: Type.Union([Type.Literal('wrong-pin'), Type.Literal('too-many-tries'), Type.Literal('full'), Type.Literal('locked')]),
  }),
  fact('conference.muted', { ...leg, conference: Type.String(), muted: Type.Boolean() }),
  /** Of the company: nobody more is let in, or people are again. */
  fact('conference.locked', { conference: Type.String(), locked: Type.Boolean() }),
  /**
   * A supervisor is with somebody who talks, told in the call that is listened to. `monitor`: the supervisor's own call; `by` and `agent`: their
   * numbers; `told`: the agent heard a tone.
   */
  fact('monitor.started', {
    ...leg,
    monitor: Type.String(),
    by: Type.String(),
    agent: Type.String(),
    mode: MonitorMode,
    told: Type.Boolean(),
  }),
  fact('monitor.changed', { ...leg, monitor: Type.String(), by: Type.String(), mode: MonitorMode }),
  fact('monitor.ended', { ...leg, monitor: Type.String(), by: Type.String() }),
  fact('recording.started', { recording: Type.String() }),
  fact('recording.ended', { recording: Type.String(), ms: Type.Number(), bytes: Type.Integer() }),
  fact('recording.failed', { recording: Type.String(), why: Type.String() }),
  fact('recording.mailed', { recording: Type.String(), to: Type.String() }),
  fact('trunk.went-up', { trunk: Type.String() }),
  fact('trunk.went-down', { trunk: Type.String(), why: Type.String() }),
  fact('device.registered', { device: Type.String(), contact: Type.String() }),
  fact('device.unregistered', { device: Type.String(), contact: Type.String(), why: Type.String() }),
  /** Somebody was given the password of a phone, to put it into the phone. */
  fact('device.password-shown', { device: Type.String(), to: Type.String() }),
  fact('config.changed', { version: Type.Integer(), author: Type.String(), comment: Type.String() }),
  /** Somebody should look. `rule`: what was crossed (`spend-cap`, `guessing`, `disk-full`, ...). */
  fact('alarm.raised', {
    rule: Type.String(),
    severity: Type.Union([Type.Literal('warning'), Type.Literal('critical')]),
    detail: Type.String(),
  }),
  /** Somebody is to be called back when whom they wanted is free. Of the company, like its end. */
  fact('callback.requested', { extension: Type.String(), to: Type.String() }),
  /** `begun`: the call that came of it. */
  fact('callback.ended', {
    extension: Type.String(),
    to: Type.String(),
    why: Type.Union([Type.Literal('called'), Type.Literal('cancelled'), Type.Literal('expired')]),
    begun: Type.Optional(Type.String()),
  }),
  /** A shared phone is somebody's from now on. Of the company, like the two after it. `extension`: theirs. */
  fact('desk.logged-in', {
    device: Type.String(),
    person: Type.String(),
    extension: Type.String(),
    by: Type.Union([Type.Literal('phone'), Type.Literal('api')]),
  }),
  /** `moved`: they logged in elsewhere; `replaced`: somebody else did here; `expired`: by the company's policy; `removed`: phone or person is no more. */
  fact('desk.logged-out', {
    device: Type.String(),
    person: Type.String(),
    extension: Type.String(),
    why: Type.Union([
      Type.Literal('phone'),
      Type.Literal('api'),
      Type.Literal('moved'),
      Type.Literal('replaced'),
      Type.Literal('expired'),
      Type.Literal('removed'),
    ]),
  }),
  /** `unknown`: no extension of anybody with a PIN; `extension` is empty when it is none at all, as it might be a PIN. */
  fact('desk.refused', {
    device: Type.String(),
    extension: Type.String(),
    why: Type.Union([Type.Literal('wrong-pin'), Type.Literal('too-many-tries'), Type.Literal('unknown')]),
  }),
  /** A phone sent a message to another. What it says is kept nowhere. `delivered`: phones that took it; `sip`: what the sender was answered. */
  fact('message.sent', {
    device: Type.String(),
    to: Type.String(),
    type: Type.String(),
    bytes: Type.Integer(),
    delivered: Type.Integer(),
    sip: Type.Integer(),
  }),
])
export type Fact = Static<typeof Fact>
export type FactKind = Fact['kind']

/** A fact before the journal stamped it with `at` and `seq`. */
export type NewFact = Fact extends infer F ? (F extends Fact ? Omit<F, 'at' | 'seq'> : never) : never
