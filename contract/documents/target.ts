import Type, { type Static } from 'typebox'
import { DialledNumber, Key, fields, optional, ref, seconds } from '#contract/documents/fields.ts'

/** Anything that can be rung. An extension stands for its own target; a person for all of their devices. */
const rungProperties = {
  extension: fields({ extension: ref('extension') }),
  person: fields({ person: ref('person') }),
  device: fields({ device: ref('device') }),
  ringGroup: fields({ ringGroup: ref('ring-group') }),
}

/**
 * An outside number, reached through a trunk under the outbound rules. `confirm`: the callee must press this key before being joined, so that
 * a mobile's own voicemail cannot take the call; without it an answer is an answer.
 */
export const External = fields({ external: DialledNumber, confirm: optional(Key) })
export type External = Static<typeof External>

/** One end to ring: exactly one of `extension`, `person`, `device`, `ringGroup`, `external`. */
export const RingTarget = Type.Union([
  rungProperties.extension,
  rungProperties.person,
  rungProperties.device,
  rungProperties.ringGroup,
  External,
])
export type RingTarget = Static<typeof RingTarget>

const toFlow = fields({ flow: ref('flow') })

const toConference = fields({ conference: ref('conference') })

/** Where a call can go: something to ring, a flow or a conference to enter. */
export const Target = Type.Union([...RingTarget.anyOf, toFlow, toConference])
export type Target = Static<typeof Target>

/** What an extension can stand for: anything but another extension. */
export const ExtensionTarget = Type.Union([
  rungProperties.person,
  rungProperties.device,
  rungProperties.ringGroup,
  External,
  toFlow,
  toConference,
])
export type ExtensionTarget = Static<typeof ExtensionTarget>

/** The end of the road: say something, then hang up. */
export const Ending = fields({ hangup: fields({ prompts: optional(Type.Array(ref('prompt'), { maxItems: 8 })) }) })

/** Where an unanswered call goes. */
export const Destination = Type.Union([...Target.anyOf, Ending])
export type Destination = Static<typeof Destination>

/** One step of a ring plan: these ends ring together for so long; then the next step, the earlier ones stopping. */
export const RingStep = fields({
  targets: Type.Array(RingTarget, { minItems: 1, maxItems: 20 }),
  /** Default 20. */
  seconds: optional(seconds(3, 300), 20),
})
export type RingStep = Static<typeof RingStep>

/** Seconds a ring step lasts when its document does not say. */
export const defaultRingSeconds = 20
