import type { CallerList } from '#contract/documents/numbers.ts'

/**
 * Whether a caller's number fits a pattern (see CallerPattern). A pattern that begins with a digit is compared with the number without its
 * plus, so `7495*` and `+7495*` mean the same.
 */
export function fits(pattern: string, number: string): boolean {
  const open = pattern.startsWith('*')
  const ends = pattern.endsWith('*') && pattern.length > 1
  const body = pattern.slice(open ? 1 : 0, ends ? -1 : undefined)
  const text = number.startsWith('+') && !body.startsWith('+') ? number.slice(1) : number
  const last = text.length - body.length
  if (last < 0) return false
  if (!open) return ends || last === 0 ? sameAt(body, text, 0) : false
  if (!ends) return sameAt(body, text, last)
  for (let at = 0; at <= last; at++) if (sameAt(body, text, at)) return true
  return false
}

function sameAt(body: string, text: string, at: number): boolean {
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== '?' && body[i] !== text[at + i]) return false
  }
  return true
}

interface Sorted {
  exact: ReadonlySet<string>
  patterns: readonly string[]
}

/** Lists are immutable documents: each is sorted once, so that thousands of exact numbers cost one look-up. */
const sorted = new WeakMap<CallerList, Sorted>()

/** Whether `number` is on the list. */
export function isListed(list: CallerList, number: string): boolean {
  let known = sorted.get(list)
  if (known === undefined) {
    const isPattern = (text: string) => text.includes('*') || text.includes('?')
    known = { exact: new Set(list.numbers.filter((n) => !isPattern(n)).map(bare)), patterns: list.numbers.filter(isPattern) }
    sorted.set(list, known)
  }
  return known.exact.has(bare(number)) || known.patterns.some((pattern) => fits(pattern, number))
}

const bare = (number: string) => (number.startsWith('+') ? number.slice(1) : number)
