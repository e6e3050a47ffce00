import Type, { type Static } from 'typebox'
import { CodecName, E164, Host, Name, Port, Secret, TrunkTransport, document, fields, optional } from '#contract/documents/fields.ts'

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

/** Our SIP relationship with a carrier or another exchange. */
export const Trunk = document('trunk', 'Our SIP relationship with a carrier or another exchange.', {
  name: optional(Name),
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
  numberFormat: optional(fields({ in: optional(NumberFormat, 'e164-plus'), out: optional(NumberFormat, 'e164-plus') })),
  /** How the caller's number is shown and read here. */
  callerId: optional(
    fields({
      /** In which header our number goes out: `asserted` From and P-Asserted-Identity (RFC 3325), `pai` the latter with our trunk user in From, `rpid` Remote-Party-ID, `from` From alone. Default: asserted. */
      rule: optional(Type.Enum(['asserted', 'from', 'pai', 'rpid']), 'asserted'),
      /** Numbers that may be shown on this trunk; default: every number of the company. */
      allowed: optional(Type.Array(E164, { minItems: 1, maxItems: 1000 })),
      /** Shown when the caller's own may not be; default: the company's. */
      default: optional(E164),
    }),
  ),
  /** Most calls at once, both ways together. Default: unlimited. */
  channels: optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'a whole number of calls, 1 to 10000' })),
  codecs: optional(Type.Array(CodecName, { minItems: 1, maxItems: 2, uniqueItems: true }), ['PCMA', 'PCMU']),
  /** OPTIONS this often, to know whether it lives; 0 never. Default 10 s. */
  healthSeconds: optional(Type.Integer({ minimum: 0, maximum: 3600, description: 'whole seconds, 0 to 3600' }), 10),
  /** Whether it is used at all. Default: true. */
  enabled: optional(Type.Boolean(), true),
})
export type Trunk = Static<typeof Trunk>
