import Type, { type Static } from 'typebox'
import {
  CodecName,
  Country,
  E164,
  Email,
  Host,
  Language,
  Name,
  Port,
  Secret,
  TimeZone,
  defaultCodecs,
  document,
  fields,
  optional,
  ref,
} from '#contract/documents/fields.ts'
import { FeatureCodes, HotDesk, Parking } from '#contract/documents/features.ts'
import { Target } from '#contract/documents/target.ts'

/** Call-progress tones of a country (ITU-T E.180 Supplement 2). */
export const TonePlan = Type.Enum(['ru', 'eu', 'uk', 'us', 'cn'])
export type TonePlan = Static<typeof TonePlan>

/** Where mail leaves. Without `smtp`, letters are put into the local outbox folder. */
export const Mail = fields({
  from: Email,
  smtp: optional(
    fields({
      host: Host,
      port: optional(Port, 587),
      /** `starttls` refuses to go on in plain text; `none` is for a relay on the same machine. */
      security: optional(Type.Enum(['starttls', 'tls', 'none']), 'starttls'),
      user: optional(Type.String({ minLength: 1, maxLength: 254 })),
      password: optional(Secret),
    }),
  ),
})
export type Mail = Static<typeof Mail>

/** As `Secret`, for a key of several lines. */
const PrivateKey = Type.Union(
  [
    Type.String({ minLength: 1, maxLength: 4096 }),
    Type.Object({ secret: Type.String({ minLength: 1, maxLength: 128 }) }, { additionalProperties: false }),
  ],
  { 'x-secret': true, description: 'a P-256 private key in PEM form, or {secret: its name in the vault}' },
)

/** The company itself; each configuration has exactly one. */
export const Company = document('company', 'The company: its name, place, language and defaults.', {
  name: Name,
  /** In which opening hours are read unless they name their own. */
  timezone: TimeZone,
  country: Country,
  /** Of prompts given as text, unless they name their own. */
  language: Language,
  /** Domains of its devices' addresses of record; also their digest realm. The first is preferred. */
  sipDomains: Type.Array(Host, { minItems: 1, maxItems: 10 }),
  /** Default: that of the country where there is one, else `eu`. */
  tones: optional(TonePlan),
  mail: optional(Mail),
  /** Whom key 0 reaches. */
  operator: optional(Target),
  /** The number people know it by. */
  mainNumber: optional(ref('number')),
  /** Shown outside when neither device nor person has a number of its own; default: the main number. */
  callerId: optional(E164),
  /** Phones are asked to ring differently for colleagues and for callers from outside (Alert-Info, RFC 7462). Default: false. */
  distinctiveRing: optional(Type.Boolean(), false),
  /** The certificate by which the company signs its numbers on calls that go out (STIR/SHAKEN, RFC 8588). Default: calls are not signed. */
  signing: optional(
    fields({
      /** Where carriers find the certificate. */
      url: Type.String({ pattern: '^https://[A-Za-z0-9.-]+(:8443)?/[!-~]{1,300}$', description: 'an https URL' }),
      /** It, and those who vouch for it. */
      certificate: Type.String({
        minLength: 100,
        maxLength: 65_536,
        pattern: '-----BEGIN CERTIFICATE-----',
        description: 'certificates in PEM form: -----BEGIN CERTIFICATE----- and so on',
      }),
      privateKey: PrivateKey,
    }),
  ),
  /** Keys of encrypted audio may also go over SIP that is not encrypted: whoever can read that can listen to the calls. Default: false. */
  mediaKeysInClear: optional(Type.Boolean({ description: 'true or false' }), false),
  /** After so long a call ends with the outcome `too-long`. Default 240. */
  maxCallMinutes: optional(Type.Integer({ minimum: 1, maximum: 1440, description: 'whole minutes, 1 to 1440' }), 240),
  /** Lamps on colleagues' phones tell who is on the line, not only that it is taken. Whoever answers a line sees that anyway. Default: no. */
  lampsShowCallers: optional(Type.Boolean({ description: 'true or false' }), false),
  /** What a held caller hears, in a loop; default: silence with a soft tone. */
  musicOnHold: optional(Type.Array(ref('prompt'), { minItems: 1, maxItems: 20 })),
  /** What phones dial to do something rather than to call somebody. */
  featureCodes: optional(FeatureCodes),
  /** Where calls are parked. */
  parking: optional(Parking),
  /** Those that its phones and trunks may use, in the order of preference of whoever has no list of their own. Default: PCMA, PCMU, G722, opus. */
  codecs: optional(Type.Array(CodecName, { minItems: 1, maxItems: 4, uniqueItems: true }), defaultCodecs),
  /** Phones that people share. */
  hotDesk: optional(HotDesk),
})
export type Company = Static<typeof Company>
