import { type CountryCode, type PhoneNumber, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { RecentMap } from '#base/recent-map.ts'
import type { NumberClass } from '#contract/documents/outbound.ts'
import type { NumberFormat } from '#contract/documents/trunk.ts'

/** An outside number as understood: what was dialled, its international form where it has one, and what sort of number it is. */
export interface Dialled {
  /** As dialled, separators taken out. */
  readonly digits: string
  /** `+` and digits; null for short service numbers. */
  readonly e164: string | null
  readonly class: NumberClass
  /** ISO 3166-1 alpha-2, where known. */
  readonly country: string | null
}

const longest = 32

/** What was dialled without what people put between digits. */
export function plainDigits(text: string): string {
  // Most have nothing to be taken out.
  return isDigits(text, 0) ? text : text.replace(/[\s().-]/g, '')
}

/** Digits, at least so many, and perhaps a plus before them. */
function isDigits(text: string, least: number): boolean {
  const from = text.charCodeAt(0) === plus ? 1 : 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < zero || code > nine) return false
  }
  return text.length - from >= least
}

const [plus, zero, nine] = [0x2b, 0x30, 0x39]

/** Numbers that were read lately, by country and text: the same ones are called again and again, and reading one takes some 30 µs. */
const lately = new RecentMap<Dialled>(10_000)

/** Reads what a person in `country` dialled. `00` and `+` begin international numbers everywhere; the rest is that country's plan. Total. */
export function readDialled(text: string, country: string): Dialled {
  const key = `${country} ${text.slice(0, longest)}`
  const known = lately.get(key)
  if (known !== undefined) return known
  // From the key, not from the text: that may be a part of a whole message, which would be kept with it.
  const read = readAnew(key.slice(country.length + 1), country)
  lately.set(key, read)
  return read
}

function readAnew(text: string, country: string): Dialled {
  const digits = plainDigits(text.slice(0, longest))
  const home = countryOf(country)
  const international = /^00[1-9]/.test(digits) ? `+${digits.slice(2)}` : digits
  const parsed = parsePhoneNumberFromString(international, home)
  if (parsed === undefined || !parsed.isPossible()) return { digits, e164: null, class: 'unknown', country: null }
  return { digits, e164: parsed.number, class: classOf(parsed, home), country: parsed.country ?? null }
}

function classOf(number: PhoneNumber, home: CountryCode | undefined): NumberClass {
  if (isSatellite(number)) return 'satellite'
  const type = number.getType()
  if (type === 'PREMIUM_RATE') return 'premium'
  if (number.country !== home) return 'international'
  switch (type) {
    case 'MOBILE':
    case 'PAGER':
      return 'mobile'
    case 'TOLL_FREE':
      return 'toll-free'
    case 'SHARED_COST':
    case 'UAN':
      return 'shared-cost'
    case undefined:
      // Not in the plan's tables though its length fits: a new range, or nobody's. Never let fraud in by that door.
      return 'unknown'
    default:
      return 'national'
  }
}

/** +881 and +870: satellite networks, which belong to no country (ITU-T E.164 Annex A). */
function isSatellite(number: PhoneNumber): boolean {
  return /^(870|88[123])$/.test(number.countryCallingCode)
}

/** How a trunk writes an international number. Numbers without an international form go out as dialled. */
export function writeFor(format: NumberFormat, number: { e164: string | null; digits: string }, country: string): string {
  if (number.e164 === null) return number.digits
  if (typeof format === 'object') return (format.prefix ?? '') + number.e164.replace('+', '').slice(format.strip ?? 0)
  switch (format) {
    case 'e164-plus':
      return number.e164
    case 'e164':
      return number.e164.slice(1)
    case 'national': {
      const parsed = parsePhoneNumberFromString(number.e164)
      if (parsed === undefined || parsed.country !== countryOf(country)) return `00${number.e164.slice(1)}`
      return parsed.formatNational().replace(/[^0-9]/g, '')
    }
  }
}

/** The international form of a number as a trunk writes it; null when it cannot be one (withheld, short, letters). */
export function readFrom(format: NumberFormat, text: string, country: string): string | null {
  const digits = plainDigits(text.slice(0, longest))
  if (!isDigits(digits, 2)) return null
  if (typeof format === 'object') {
    const made = (format.prefix ?? '') + digits.replace('+', '').slice(format.strip ?? 0)
    return made.startsWith('+') ? made : `+${made}`
  }
  if (digits.startsWith('+')) return digits
  return format === 'national' ? readDialled(digits, country).e164 : `+${digits}`
}

function countryOf(code: string): CountryCode | undefined {
  return isSupportedCountry(code) ? code : undefined
}
