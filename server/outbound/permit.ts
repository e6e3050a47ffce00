import type { NumberClass } from '#contract/documents/outbound.ts'
import type { CompiledOutbound } from '#server/config/compiled.ts'
import type { Dialled } from '#server/numbering/numbering.ts'

/** Which rule stands against a call, in words for the journal; null when it may be made. */
export type Barred = { rule: 'barred-class' | 'barred-prefix' | 'barred-country' | 'no-outbound'; detail: string } | null

/** Whether the company lets people dial this number. Flows are the company's own hand: they dial what their author wrote. */
export function permit(outbound: CompiledOutbound | null, number: Dialled, home: string): Barred {
  if (outbound === null) return { rule: 'no-outbound', detail: 'this company has no outbound routes' }
  const e164 = number.e164
  const prefix = e164 === null ? undefined : outbound.barredPrefixes.find((p) => e164.startsWith(p))
  if (prefix !== undefined) return { rule: 'barred-prefix', detail: `numbers that begin with ${prefix} are barred` }
  if (!outbound.permissions[number.class]) {
    return { rule: 'barred-class', detail: `${describe[number.class]} are barred` }
  }
  const abroad = number.country !== null && number.country !== home
  if (abroad && outbound.countries !== null && !outbound.countries.has(number.country ?? '')) {
    return { rule: 'barred-country', detail: `calls to ${number.country} are barred` }
  }
  return null
}

const describe: Readonly<Record<NumberClass, string>> = {
  local: 'local numbers',
  national: 'national numbers',
  mobile: 'mobile numbers',
  'toll-free': 'toll-free numbers',
  'shared-cost': 'shared-cost numbers',
  premium: 'premium-rate numbers',
  international: 'international numbers',
  satellite: 'satellite numbers',
  unknown: 'numbers of no known plan',
}

/** What a started minute to this number costs. */
export function ratePerMinute(outbound: CompiledOutbound, number: Dialled): number {
  return outbound.rate(number.e164 ?? number.digits, number.class)
}

/** The trunks for a number, in the order to try: those of the first route that fits. */
export function trunksFor(outbound: CompiledOutbound, number: Dialled): readonly string[] {
  const fits = outbound.routes.find(
    (route) =>
      (route.classes === undefined || route.classes.includes(number.class)) &&
      (route.prefixes === undefined || route.prefixes.some((p) => (number.e164 ?? '').startsWith(p))),
  )
  return fits?.trunks ?? []
}
