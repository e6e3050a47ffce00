import Type, { type Static } from 'typebox'
import { Country, Email, Name, document, fields, optional, ref } from '#contract/documents/fields.ts'
import { Caps } from '#contract/documents/people.ts'

/** What sort of number was dialled; `unknown` is a number that no plan knows. */
export const NumberClass = Type.Enum([
  'local',
  'national',
  'mobile',
  'toll-free',
  'shared-cost',
  'premium',
  'international',
  'satellite',
  'unknown',
])
export type NumberClass = Static<typeof NumberClass>

/** Classes that may be dialled unless a document says otherwise. Premium, satellite, international and unknown numbers may not: that is where fraud goes. */
export const allowedByDefault: readonly NumberClass[] = ['local', 'national', 'mobile', 'toll-free']

const Prefix = Type.String({ pattern: '^\\+[0-9]{1,14}$', description: 'the beginning of an international number, such as +371' })

/** One way out: for these classes and prefixes (both, when both are given; absent: all), these trunks in this order. */
export const OutboundRoute = fields({
  name: optional(Name),
  classes: optional(Type.Array(NumberClass, { minItems: 1, maxItems: 9, uniqueItems: true })),
  prefixes: optional(Type.Array(Prefix, { minItems: 1, maxItems: 500 })),
  /** The next is taken when one is down, full, silent for 2 s, or answers 408, 5xx or 6xx other than 600, 603, 604 and 606. */
  trunks: Type.Array(ref('trunk'), { minItems: 1, maxItems: 10 }),
})
export type OutboundRoute = Static<typeof OutboundRoute>

/** Who may call out, through which trunks, and how much. Emergency numbers and colleagues are never subject to it. A configuration has at most one. */
export const Outbound = document('outbound', 'Who may call out, through which trunks, and how much.', {
  /** The first that fits is taken. */
  routes: Type.Array(OutboundRoute, { minItems: 1, maxItems: 200 }),
  /** By class of number; a class that is not named keeps its default: local, national, mobile and toll-free may be dialled, others not. */
  permissions: optional(
    fields({
      local: optional(Type.Boolean(), true),
      national: optional(Type.Boolean(), true),
      mobile: optional(Type.Boolean(), true),
      'toll-free': optional(Type.Boolean(), true),
      'shared-cost': optional(Type.Boolean(), false),
      premium: optional(Type.Boolean(), false),
      international: optional(Type.Boolean(), false),
      satellite: optional(Type.Boolean(), false),
      unknown: optional(Type.Boolean(), false),
    }),
  ),
  /** With `international` permitted: only to these countries. Default: all. */
  countries: optional(Type.Array(Country, { minItems: 1, maxItems: 250, uniqueItems: true })),
  /** Never, whatever the class says. */
  barredPrefixes: optional(Type.Array(Prefix, { minItems: 1, maxItems: 500 })),
  /** ISO 4217; of rates and spend caps. Default: EUR. */
  currency: optional(Type.String({ pattern: '^[A-Z]{3}$', description: 'a currency of three capital letters' }), 'EUR'),
  /** What a started minute costs. The longest prefix that fits, else the class, else 0. */
  rates: optional(
    Type.Array(
      fields({
        class: optional(NumberClass),
        prefix: optional(Prefix),
        perMinute: Type.Number({ minimum: 0, maximum: 1000, description: 'an amount of money, 0 to 1000' }),
      }),
      { maxItems: 2000 },
    ),
  ),
  caps: optional(
    fields({
      /** All calls of the company together. */
      company: optional(Caps),
      /** Each device by itself, unless it has caps of its own. */
      device: optional(Caps),
    }),
  ),
  /** What a refused caller hears. */
  refusal: optional(
    fields({
      /** The class or number is barred. */
      barred: optional(Type.Array(ref('prompt'), { minItems: 1, maxItems: 4 })),
      /** A cap is reached. */
      capped: optional(Type.Array(ref('prompt'), { minItems: 1, maxItems: 4 })),
      /** No trunk took the call. */
      unreachable: optional(Type.Array(ref('prompt'), { minItems: 1, maxItems: 4 })),
    }),
  ),
  /** Who is told of an alarm, beside the journal. */
  alarmTo: optional(Type.Array(Email, { minItems: 1, maxItems: 20 })),
})
export type Outbound = Static<typeof Outbound>

/** Emergency numbers: dialled from any phone, without any prefix, past every permission, cap and channel limit. A configuration has at most one. */
export const Emergency = document('emergency', 'Emergency numbers and the trunks that take them.', {
  /** As dialled. */
  numbers: Type.Array(Type.String({ pattern: '^[0-9]{2,6}$', description: 'a short number of 2 to 6 digits' }), {
    minItems: 1,
    maxItems: 30,
    uniqueItems: true,
  }),
  /** In the order tried. */
  trunks: Type.Array(ref('trunk'), { minItems: 1, maxItems: 10 }),
  /** Shown to the emergency service, so that it can call back; default: the company's main number. */
  callback: optional(ref('number')),
  /** Who is told at once. */
  notify: optional(Type.Array(Email, { minItems: 1, maxItems: 20 })),
})
export type Emergency = Static<typeof Emergency>
