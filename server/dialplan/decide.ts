import type { Outcome } from '#contract/outcome.ts'
import type { PublicNumber } from '#contract/documents/numbers.ts'
import type { Extension } from '#contract/documents/people.ts'
import type { Target } from '#contract/documents/target.ts'
import { plainDigits, readDialled, readFrom, type Dialled } from '#server/numbering/numbering.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'

/** Where a call goes, decided from one version of the company's configuration. */
export type Route =
  | { kind: 'target'; target: Target; number?: PublicNumber; extension?: Extension }
  | { kind: 'outside'; number: Dialled }
  | { kind: 'emergency'; number: string }
  | { kind: 'refused'; outcome: Outcome; rule: string }

/** What somebody inside reaches by dialling: emergency first, then colleagues, then the company's own numbers, then the world. */
export function decideInside(config: CompiledConfig, dialled: string): Route {
  const digits = plainDigits(dialled)
  const emergency = config.emergency?.numbers.has(digits) === true
  if (emergency) return { kind: 'emergency', number: digits }
  const extension = config.extensions.get(digits)
  if (extension !== undefined) return { kind: 'target', target: extension.target, extension }
  if (!/^\+?[0-9]{3,}$/.test(digits)) return unknownNumber(dialled)
  const number = readDialled(digits, config.company.country)
  const own = number.e164 === null ? undefined : config.numbers.get(number.e164)
  if (own !== undefined) return { kind: 'target', target: own.target, number: own }
  return { kind: 'outside', number }
}

/** Which of the company's numbers a carrier's call is for: the candidates in the order looked at, as the trunk writes numbers. */
export function decideFromTrunk(config: CompiledConfig, trunk: string, candidates: readonly string[]): Route {
  const format = config.trunks.get(trunk)?.numberFormat.in ?? 'e164-plus'
  for (const text of candidates) {
    // Carriers are not always true to the format they promised: a number of ours in another is still ours.
    const e164 = readFrom(format, text, config.company.country)
    const number =
      (e164 === null ? undefined : config.numbers.get(e164)) ?? config.numbers.get(readDialled(text, config.company.country).e164 ?? '')
    if (number !== undefined) return { kind: 'target', target: number.target, number }
  }
  return unknownNumber(candidates[0] ?? '')
}

function unknownNumber(dialled: string): Route {
  return {
    kind: 'refused',
    rule: 'unknown-number',
    outcome: { kind: 'wrong-number', by: 'caller', sip: 404, detail: `nobody here has the number ${dialled.slice(0, 40)}` },
  }
}
