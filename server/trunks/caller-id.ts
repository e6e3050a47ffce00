import type { Trunk } from '#contract/documents/trunk.ts'
import type { Shown } from '#calls/needs.ts'
import type { CompanyBook } from '#server/dialplan/book.ts'
import { writeFor } from '#server/numbering/numbering.ts'

/** Who a call claims to be from, before a trunk's rules. */
export interface Claim {
  /** The device that calls, when one does. */
  device: string | null
  /** The caller as they came to us. */
  from: { number: string; name?: string }
  show?: Shown
  emergency?: boolean
}

/** The headers by which a trunk is shown our number: never one that is not the company's to show (or on the trunk's list). */
export interface ShownCaller {
  from: string
  headers: (readonly [string, string])[]
}

/** The number that a call may show on a trunk, in E.164; null when the company has none at all. */
export function numberToShow(book: CompanyBook, trunk: Trunk, claim: Claim): string | null {
  const allowed = (number: string | undefined | null): number is string =>
    number !== undefined && number !== null && (trunk.callerId?.allowed?.includes(number) ?? book.numbers.has(number))
  return wishes(book, claim).find(allowed) ?? trunk.callerId?.default ?? [...book.numbers.keys()].find(allowed) ?? null
}

function wishes(book: CompanyBook, claim: Claim): (string | undefined)[] {
  const main = numberOf(book, book.company.mainNumber)
  if (claim.emergency === true) return [numberOf(book, book.emergency?.callback), main, book.company.callerId]
  const company = [book.company.callerId, main]
  if (claim.show === 'company') return company
  if (claim.show === 'caller') return [claim.from.number, ...company]
  if (claim.show !== undefined) return [claim.show.number, ...company]
  const device = claim.device === null ? undefined : book.devices.get(claim.device)
  const person = device?.person === undefined ? undefined : book.persons.get(device.person)
  return [device?.callerId, person?.callerId, ...company]
}

function numberOf(book: CompanyBook, id: string | undefined): string | undefined {
  if (id === undefined) return undefined
  for (const number of book.numbers.values()) if (number.id === id) return number.number
  return undefined
}

/** Writes it as the trunk's rule wants: From alone, From and P-Asserted-Identity (RFC 3325), the latter beside our trunk user, or Remote-Party-ID. */
export function showCaller(book: CompanyBook, trunk: Trunk, domain: string, number: string | null): ShownCaller {
  const written = number === null ? null : writeFor(trunk.numberFormat?.out ?? 'e164-plus', { e164: number, digits: number }, book.company.country)
  const own = trunk.username ?? written ?? 'anonymous'
  const shown = written === null ? '<sip:anonymous@anonymous.invalid>' : `<sip:${written}@${domain}>`
  switch (trunk.callerId?.rule ?? 'asserted') {
    case 'asserted':
      return { from: shown, headers: written === null ? [] : [['P-Asserted-Identity', shown]] }
    case 'from':
      return { from: shown, headers: [] }
    case 'pai':
      return { from: `<sip:${own}@${domain}>`, headers: written === null ? [] : [['P-Asserted-Identity', shown]] }
    case 'rpid':
      return { from: `<sip:${own}@${domain}>`, headers: written === null ? [] : [['Remote-Party-ID', `${shown};party=calling;screen=yes;privacy=off`]] }
  }
}
