import Type, { type Static } from 'typebox'
import { fields, optional, ref, seconds } from '#contract/documents/fields.ts'
import { Target } from '#contract/documents/target.ts'

/** What phones dial to do something rather than to call somebody: it begins with `*` or `#`, so that no extension can be meant. */
const FeatureCode = Type.String({
  pattern: '^[*#][0-9*#]{1,5}$',
  description: 'a code of 2 to 6 of 0-9, * and #, the first of them * or #',
})

/** The codes of a company. */
export const FeatureCodes = fields({
  /** Followed by an extension: takes the call that rings there. */
  pickup: optional(FeatureCode, '**'),
  /** Takes the call that rings longest in the pickup groups of the phone. */
  groupPickup: optional(FeatureCode, '*8'),
  /** A call sent here is parked in the first free slot. */
  park: optional(FeatureCode, '*70'),
  /** Brings the call that a person has on another phone to this one. */
  flip: optional(FeatureCode, '*9'),
  /** After a call to a colleague who was busy or did not answer: both are called when they can be had. */
  callback: optional(FeatureCode, '*37'),
  /** Withdraws all that was asked for so. */
  cancelCallback: optional(FeatureCode, '#37'),
  /** At a shared phone, alone or followed by one's extension: the phone is one's own until one logs out. */
  login: optional(FeatureCode, '*11'),
  logout: optional(FeatureCode, '*12'),
})
export type FeatureCodes = Static<typeof FeatureCodes>

/** A number under which a parked call waits; digits alone are dialled like an extension. */
const Slot = Type.String({ pattern: '^[*#]?[0-9]{2,6}$', description: 'a slot: 2 to 6 digits, after * or # or alone' })

/** Where calls are parked, and what becomes of those that nobody fetches. */
export const Parking = fields({
  /** Default: *701 to *709. */
  slots: optional(Type.Array(Slot, { minItems: 1, maxItems: 100, uniqueItems: true })),
  /** After so long whoever parked the call is rung; again and again where there is nowhere else to go. Default 120. */
  seconds: optional(seconds(10, 3_600), 120),
  /** Where the call goes when they do not answer either. Default: where the main number leads. */
  otherwise: optional(Target),
})
export type Parking = Static<typeof Parking>

/** What people may do with phones that they share. */
export const HotDesk = fields({
  /** Whom a shared phone reaches at which nobody has logged in; emergency numbers always. Default: colleagues. */
  loggedOut: optional(Type.Enum(['emergency', 'internal', 'all']), 'internal'),
  /** A login ends after so many hours. Default: never. */
  hours: optional(Type.Integer({ minimum: 1, maximum: 168, description: 'a whole number of hours, 1 to 168' })),
  /** A login ends when these hours close. */
  untilClosed: optional(ref('hours')),
})
export type HotDesk = Static<typeof HotDesk>

export const defaultSlots: readonly string[] = Array.from({ length: 9 }, (_, i) => `*70${i + 1}`)
export const defaultParkingSeconds = 120

/** Groups of phones that take each other's calls. */
export const PickupGroups = Type.Array(
  Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'the name of a pickup group: 1 to 40 of a-z, 0-9 and -' }),
  { minItems: 1, maxItems: 20, uniqueItems: true },
)
