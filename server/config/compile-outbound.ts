import { allowedByDefault, type NumberClass, type Outbound } from '#contract/documents/outbound.ts'
import type { CompiledOutbound } from '#server/config/compiled.ts'

/** Fills in permissions and sorts rates. */
export function compileOutbound(outbound: Outbound): CompiledOutbound {
  const may = (numberClass: NumberClass) => outbound.permissions?.[numberClass] ?? allowedByDefault.includes(numberClass)
  return {
    routes: outbound.routes,
    permissions: {
      local: may('local'),
      national: may('national'),
      mobile: may('mobile'),
      'toll-free': may('toll-free'),
      'shared-cost': may('shared-cost'),
      premium: may('premium'),
      international: may('international'),
      satellite: may('satellite'),
      unknown: may('unknown'),
    },
    countries: outbound.countries === undefined ? null : new Set(outbound.countries),
    barredPrefixes: outbound.barredPrefixes ?? [],
    currency: outbound.currency ?? 'EUR',
    companyCaps: outbound.caps?.company ?? {},
    deviceCaps: outbound.caps?.device ?? {},
    rate: rates(outbound),
    refusal: {
      barred: outbound.refusal?.barred ?? [],
      capped: outbound.refusal?.capped ?? [],
      unreachable: outbound.refusal?.unreachable ?? [],
    },
    alarmTo: outbound.alarmTo ?? [],
  }
}

/** Longest prefix first: a prefix has at most 15 characters (contract), so a look-up is at most 15 steps however many rates there are. */
function rates(outbound: Outbound): CompiledOutbound['rate'] {
  const byPrefix = new Map<string, number>()
  const byClass = new Map<NumberClass, number>()
  for (const rate of outbound.rates ?? []) {
    if (rate.prefix !== undefined) byPrefix.set(rate.prefix, rate.perMinute)
    else if (rate.class !== undefined) byClass.set(rate.class, rate.perMinute)
  }
  const longest = Math.max(0, ...Array.from(byPrefix.keys(), (prefix) => prefix.length))
  return (number, numberClass) => {
    for (let length = Math.min(number.length, longest); length > 1; length--) {
      const found = byPrefix.get(number.slice(0, length))
      if (found !== undefined) return found
    }
    return byClass.get(numberClass) ?? 0
  }
}
