import Type, { type Static } from 'typebox'
import {
  CodecName,
  E164,
  Email,
  EncryptionUse,
  ExtensionNumber,
  Language,
  Name,
  Secret,
  SipTransport,
  document,
  fields,
  optional,
  ref,
} from '#contract/documents/fields.ts'
import { PickupGroups } from '#contract/documents/features.ts'
import { ExtensionTarget } from '#contract/documents/target.ts'

/** Somebody who works here. Their devices name them; an extension leads to them. */
export const Person = document('person', 'Somebody who works here.', {
  name: Name,
  email: optional(Email),
  language: optional(Language),
  /** Shown outside when they call; default: the company's. */
  callerId: optional(E164),
  /** Whose calls their phones take by the code for group pickup, and who takes theirs. */
  pickupGroups: optional(PickupGroups),
  /** Digits by which they log in at a shared phone; without them only the API logs them in. */
  pin: optional(Secret),
})
export type Person = Static<typeof Person>

export const DigestAlgorithmName = Type.Enum(['SHA-256', 'MD5'])

/** What one company, device or trunk may use up. Each absent bound is unlimited. */
export const Caps = fields({
  /** Money a day (the company's calendar day), in the currency of the outbound document. */
  spendPerDay: optional(Type.Number({ minimum: 0, maximum: 1_000_000, description: 'an amount of money, 0 to 1000000' })),
  /** A running call for whose next minute the day's money does not suffice: it ends with the minute that is paid, or goes on; `announce`: it ends, and the phone that pays hears so at the beginning of that minute. An alarm is raised either way. Default: end. */
  whenSpent: optional(Type.Enum(['end', 'announce', 'go-on']), 'end'),
  callsPerMinute: optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'a whole number of calls, 1 to 10000' })),
  concurrentCalls: optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'a whole number of calls, 1 to 10000' })),
})
export type Caps = Static<typeof Caps>

/** A phone with SIP credentials of its own. */
export const Device = document('device', 'A phone with SIP credentials of its own.', {
  name: optional(Name),
  /** Whose it is; a phone in a corridor is nobody's. */
  person: optional(ref('person')),
  /** SIP user name, unique in the company. */
  username: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,39}$', description: 'a user name of 1 to 40 of a-z, 0-9, . _ and -' }),
  /** Absent: a strong one is made when the document is first applied. */
  password: optional(Secret),
  /** Digest algorithms in the order offered (RFC 8760 §2.4). Default: SHA-256, then MD5. */
  algorithms: optional(Type.Array(DigestAlgorithmName, { minItems: 1, maxItems: 2, uniqueItems: true }), ['SHA-256', 'MD5']),
  /** In order of preference; the codec of whom it talks with comes before it where both have it. Of those, what the company allows. Default: the company's. */
  codecs: optional(Type.Array(CodecName, { minItems: 1, maxItems: 4, uniqueItems: true })),
  /** Whether its audio is encrypted (SRTP, RFC 4568). Keys go over TLS and secure WebSocket only, unless the company allows more. Default: offered. */
  encryption: optional(EncryptionUse, 'offered'),
  /** From which it may register. Default: all. */
  transports: optional(Type.Array(SipTransport, { minItems: 1, maxItems: 5, uniqueItems: true }), ['udp', 'tcp', 'tls', 'ws', 'wss']),
  /** Shown outside when it calls; default: its person's, else the company's. */
  callerId: optional(E164),
  /** Further numbers of the company that it may choose to show, by P-Preferred-Identity (RFC 3325 §9.2) or From. Default: none. */
  mayShow: optional(Type.Array(E164, { minItems: 1, maxItems: 100, uniqueItems: true })),
  /** Its calls show no number outside; a phone that asks for it by Privacy (RFC 3323) always shows none. Default: false. */
  withhold: optional(Type.Boolean(), false),
  /** Whether a forward set on the phone itself (a 3xx) is followed: to whom the phone may call, five times at most. Default: true. */
  forwards: optional(Type.Boolean(), true),
  /** How many places it may be registered from at once; the oldest gives way. Default 5. */
  maxContacts: optional(Type.Integer({ minimum: 1, maximum: 20, description: 'a whole number, 1 to 20' }), 5),
  /** People log in at it with their extension and PIN, and it is theirs until they log out; it is no person's otherwise. Default: false. */
  shared: optional(Type.Boolean({ description: 'true or false' }), false),
  /** Where it stands, for whoever is told of an emergency call. */
  location: optional(Name),
  /** A number of the company that leads to this place: shown to the emergency service, whoever has logged in. Default: `callback` of the emergency document. */
  emergencyCallerId: optional(E164),
  /** Its own caps, instead of `caps.device` of the outbound document. */
  caps: optional(Caps),
})
export type Device = Static<typeof Device>

/** A short number that reaches something. Its id need not be its number, but usually is. */
export const Extension = document('extension', 'A short number that reaches something.', {
  number: ExtensionNumber,
  name: optional(Name),
  target: ExtensionTarget,
  /** How long it rings when dialled directly. Default 25. */
  seconds: optional(Type.Integer({ minimum: 3, maximum: 300, description: 'a whole number of seconds, 3 to 300' }), 25),
  /** As of a person, for the phones that it leads to. */
  pickupGroups: optional(PickupGroups),
})
export type Extension = Static<typeof Extension>

/** Seconds an extension rings when its document does not say. */
export const defaultExtensionSeconds = 25
