import Type, { type Static, type TProperties, type TSchema } from 'typebox'

/**
 * The fields that documents of every kind are made of. A document is one object `{kind, id, ...}`; unknown fields are refused.
 * Two annotations beyond JSON Schema carry what a schema alone cannot say: `x-ref` (this text is the id of a document of that kind) and
 * `x-secret` (never shown, never exported in plain).
 */

/** `[a-z0-9-]`, 1 to 40 characters; unique among the documents of its kind in one company. */
export const idPattern = '^[a-z0-9-]{1,40}$'
export const Id = Type.String({ pattern: idPattern, description: 'an id: 1 to 40 of a-z, 0-9 and -' })

/** The id of a document of `kind`; the set as a whole is refused when no such document exists. */
export const ref = (kind: string) => Type.String({ pattern: idPattern, 'x-ref': kind, description: `the id of a document of kind ${kind}` })

/** One document of `kind`. `properties` stand beside `kind` and `id`; nothing else may. */
export function document<const K extends string, P extends TProperties>(kind: K, description: string, properties: P) {
  return Type.Object({ kind: Type.Literal(kind), id: Id, ...properties }, { additionalProperties: false, description })
}

/** An object that refuses unknown fields. */
export function fields<P extends TProperties>(properties: P, options: { description?: string } = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

/** An optional field whose value, when absent, is `value`: stated in the schema and filled in by compiling. */
export function optional<S extends TSchema>(schema: S, value?: unknown) {
  return Type.Optional(value === undefined ? schema : { ...schema, default: value })
}

/** A name for people, 1 to 80 characters. */
export const Name = Type.String({ minLength: 1, maxLength: 80, description: 'a name of 1 to 80 characters' })

/** E.164 with its plus: `+` and 3 to 15 digits, no separators. */
export const e164Pattern = '^\\+[1-9][0-9]{2,14}$'
export const E164 = Type.String({
  pattern: e164Pattern,
  description: 'an international number: + and 3 to 15 digits, such as +74950000100',
})

/** What a colleague dials: 2 to 6 digits. */
export const ExtensionNumber = Type.String({ pattern: '^[0-9]{2,6}$', description: 'an extension number of 2 to 6 digits' })

/** A number to ring outside: E.164, or a short service number as the country dials it. */
export const DialledNumber = Type.String({
  pattern: '^(\\+[1-9][0-9]{2,14}|[0-9]{2,15})$',
  description: 'a number to dial, such as +79990000001',
})

export const Email = Type.String({ pattern: '^[^\\s@<>,;"]{1,64}@[^\\s@<>,;"]{1,190}$', maxLength: 254, description: 'an e-mail address' })

/** Whole seconds of waiting, ringing or listening. */
export const seconds = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `a whole number of seconds, ${minimum} to ${maximum}` })

/** BCP 47, as prompts are chosen by: `ru`, `en-GB`, `zh-Hans`. */
export const Language = Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$', description: 'a language, such as ru or en-GB' })

/** IANA time zone. That it exists is checked with the set as a whole. */
export const TimeZone = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_+/-]{1,39}$', description: 'a time zone, such as Europe/Moscow' })

/** ISO 3166-1 alpha-2, upper case. */
export const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'a country of two capital letters, such as RU' })

/** Host name, IPv4, or IPv6 without brackets. */
export const Host = Type.String({
  pattern: '^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$',
  description: 'a host name or an IP address',
})

export const Port = Type.Integer({ minimum: 1, maximum: 65535, description: 'a port, 1 to 65535' })

/**
 * A password. Written plain in a file or an API request; storing replaces it with `{secret}`, the name under which the vault holds it, and
 * that is what is shown and exported from then on.
 */
export const Secret = Type.Union(
  [
    Type.String({ minLength: 1, maxLength: 128 }),
    Type.Object({ secret: Type.String({ minLength: 1, maxLength: 128 }) }, { additionalProperties: false }),
  ],
  { 'x-secret': true, description: 'a password, or {secret: its name in the vault}' },
)
export type Secret = string | { secret: string }

/** Audio codecs of a leg, by their names in SDP. */
export const CodecName = Type.Enum(['PCMA', 'PCMU', 'G722', 'opus'])
export type CodecName = Static<typeof CodecName>

/** When a document does not say: G.711 first, which everybody has and which is passed on untouched; the others for those who have only them. */
export const defaultCodecs: readonly CodecName[] = ['PCMA', 'PCMU', 'G722', 'opus']

/** Whether audio is encrypted (SRTP): `required` or not at all, `offered` where both sides can, `off` never. */
export const EncryptionUse = Type.Enum(['required', 'offered', 'off'])

/** How SIP travels from a phone. */
export const SipTransport = Type.Enum(['udp', 'tcp', 'tls', 'ws', 'wss'])

/** How SIP travels between exchanges. */
export const TrunkTransport = Type.Enum(['udp', 'tcp', 'tls'])

/** One of the keys of a telephone. */
export const Key = Type.String({ pattern: '^[0-9*#]$', description: 'one key of a telephone: 0 to 9, * or #' })
