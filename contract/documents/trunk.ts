import Type, { type Static } from 'typebox'
import {
  CodecName,
  E164,
  EncryptionUse,
  Host,
  Name,
  Port,
  Secret,
  TrunkTransport,
  document,
  fields,
  optional,
} from '#contract/documents/fields.ts'

/** `10.0.0.0/8`, `203.0.113.7`, `2001:db8::/32` or a host name. */
const SourceAddress = Type.String({
  pattern: '^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?(/[0-9]{1,3})?$',
  description: 'an IP address, a network such as 203.0.113.0/24, or a host name',
})

/**
 * How numbers are written on this trunk. `e164-plus` +74950000100; `e164` 74950000100; `national` as the company's country dials it, with
 * its trunk prefix. Or rules: strip so many digits from the front, then put a prefix; inbound the result must be E.164, with or without plus.
 */
export const NumberFormat = Type.Union([
  Type.Enum(['e164-plus', 'e164', 'national']),
  fields({
    strip: optional(Type.Integer({ minimum: 0, maximum: 15, description: 'a whole number of digits, 0 to 15' }), 0),
    prefix: optional(Type.String({ pattern: '^\\+?[0-9*#]{0,15}$', description: 'up to 15 digits' }), ''),
  }),
])
export type NumberFormat = Static<typeof NumberFormat>

/** Certificates in PEM form, one after the other. */
const Certificates = Type.String({
  minLength: 100,
  maxLength: 65_536,
  pattern: '-----BEGIN CERTIFICATE-----',
  description: 'certificates in PEM form: -----BEGIN CERTIFICATE----- and so on',
})

/** Headers that name a caller: P-Asserted-Identity, P-Preferred-Identity, Remote-Party-ID, From. */
const CallerSource = Type.Enum(['pai', 'ppi', 'rpid', 'from'])

/** Our SIP relationship with a carrier or another exchange. */
export const Trunk = document('trunk', 'Our SIP relationship with a carrier or another exchange.', {
  name: optional(Name),
  /** A carrier's ways, by name (`GET /v1/trunks/dialects`): they stand in for every field that is not given here. Default: none. */
  dialect: optional(Type.String({ pattern: '^[a-z0-9-]{1,40}$', description: 'the name of a dialect' })),
  /** Where requests are sent. Without a port its SRV records say which, without a transport its NAPTR records (RFC 3263); else UDP, 5060, over TLS 5061. */
  host: Host,
  port: optional(Port),
  transport: optional(TrunkTransport),
  /** Whom we talk to over TLS. */
  tls: optional(
    fields({
      /** `authorities`: its certificate must be vouched for; `anyone`: whoever answers there is believed, so that the connection is encrypted and nothing more. Default: authorities. */
      trust: optional(Type.Enum(['authorities', 'anyone']), 'authorities'),
      /** Those who may vouch, and nobody else; default: the authorities every browser knows. */
      authorities: optional(Certificates),
      /** For whom its certificate must be; default: the host that requests are sent to. */
      name: optional(Host),
    }),
  ),
  /** The domain written in From, To and request URI; default: `host`. */
  domain: optional(Host),
  /** Register there, so that it knows where to send calls. Default: false. */
  register: optional(Type.Boolean(), false),
  /** How long a registration is asked for. Default 600 s. */
  registerSeconds: optional(Type.Integer({ minimum: 60, maximum: 7200, description: 'whole seconds, 60 to 7200' }), 600),
  /** The user part of our address there. */
  username: optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\s@<>"]+$', description: 'a user name' })),
  /** For digest, where it differs from `username`. */
  authUser: optional(Type.String({ minLength: 1, maxLength: 64, description: 'a user name' })),
  password: optional(Secret),
  /** User part of the Contact that is registered; default: `username`. */
  contactUser: optional(Type.String({ pattern: '^[A-Za-z0-9._+-]{1,64}$', description: 'a user name' })),
  /** Realms for which the password may be used; default: whatever realm `host` itself names, and no other peer's. */
  realms: optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 5 })),
  /** A proxy that every request passes first. */
  outboundProxy: optional(fields({ host: Host, port: optional(Port), transport: optional(TrunkTransport) })),
  /** From where its calls come; nobody else may speak as this trunk. Default: `host` and the outbound proxy. */
  addresses: optional(Type.Array(SourceAddress, { minItems: 1, maxItems: 50 })),
  /** Where the number that the caller dialled stands. Any other header by its name. Default: request-uri. */
  dialledNumberIn: optional(
    Type.String({ pattern: "^[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,60}$", description: 'request-uri, to, or the name of a header' }),
    'request-uri',
  ),
  /** `in` of all numbers that come, `out` of the number called, `caller` of our own number; the last is written as `out` unless it is given. */
  numberFormat: optional(
    fields({ in: optional(NumberFormat, 'e164-plus'), out: optional(NumberFormat, 'e164-plus'), caller: optional(NumberFormat) }),
  ),
  /** Write `;user=phone` behind numbers (RFC 3261 §19.1.1). Default: false. */
  userPhone: optional(Type.Boolean(), false),
  /** How the caller's number is shown and read here. */
  callerId: optional(
    fields({
      /** In which header our number goes out: `asserted` From and P-Asserted-Identity (RFC 3325), `pai` the latter with our trunk user in From, `ppi` P-Preferred-Identity with our trunk user in From, `rpid` Remote-Party-ID, `from` From alone. Default: asserted. */
      rule: optional(Type.Enum(['asserted', 'from', 'pai', 'ppi', 'rpid']), 'asserted'),
      /** Where the caller of an inbound call is read, in this order. Default: pai, rpid, from. */
      read: optional(Type.Array(CallerSource, { minItems: 1, maxItems: 4, uniqueItems: true }), ['pai', 'rpid', 'from']),
      /** It is in our trust domain (RFC 3324): what it asserts is believed, and a withheld number is told to it with Privacy `id`. Otherwise From alone is read, and a withheld number is told in no header. Default: true. */
      trusted: optional(Type.Boolean(), true),
      /** Who is shown on a call from outside that goes out again: `own` our number, `original` the caller's in From, with ours in the header of `rule`. Default: own. */
      forwarded: optional(Type.Enum(['own', 'original']), 'own'),
      /** Numbers that may be shown on this trunk; default: every number of the company. */
      allowed: optional(Type.Array(E164, { minItems: 1, maxItems: 1000 })),
      /** Shown when the caller's own may not be; default: the company's. */
      default: optional(E164),
    }),
  ),
  /** How it is told that a call was meant for us first: `diversion` (RFC 5806), `history-info` (RFC 7044), `both`. Default: none. */
  diversion: optional(Type.Enum(['none', 'diversion', 'history-info', 'both']), 'none'),
  /** What is made of signed caller identity (RFC 8224) on its calls: `mark` a verdict in the call's timeline, `refuse` a call without a good one, `ignore` nothing. Default: mark. */
  identity: optional(Type.Enum(['ignore', 'mark', 'refuse']), 'mark'),
  /** What a call from here is worth that goes out again with its own caller, where it was not signed (RFC 8588 §4): `B` we know who sends it, as another exchange of the company; `C` it is a carrier's. Default: C. */
  attestation: optional(Type.Enum(['B', 'C']), 'C'),
  /** Sign calls that go out here, when the company has a certificate. Default: true. */
  sign: optional(Type.Boolean(), true),
  /** Most calls at once, both ways together. Default: unlimited. */
  channels: optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'a whole number of calls, 1 to 10000' })),
  codecs: optional(Type.Array(CodecName, { minItems: 1, maxItems: 4, uniqueItems: true })),
  /** Whether audio is encrypted (SRTP, RFC 4568). Keys go over TLS only, unless the company allows more. Default: offered. */
  encryption: optional(EncryptionUse, 'offered'),
  /** Whether the carrier may send calls on to numbers outside, by 3xx or REFER, within what the company may call. Default: false. */
  redirects: optional(Type.Boolean(), false),
  /** OPTIONS this often, to know whether it lives; 0 never. Default 10 s. */
  healthSeconds: optional(Type.Integer({ minimum: 0, maximum: 3600, description: 'whole seconds, 0 to 3600' }), 10),
  /** Which answer to OPTIONS says that it lives: `any` but 408 and 503, or only `2xx`. Default: any. */
  healthAnswer: optional(Type.Enum(['any', '2xx']), 'any'),
  /** Whether it is used at all. Default: true. */
  enabled: optional(Type.Boolean(), true),
})
export type Trunk = Static<typeof Trunk>
