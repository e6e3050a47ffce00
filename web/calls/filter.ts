import type { CallView } from '#contract/api/calls.ts'

/** Whether a call has every word of `filter`: in numbers, names, its trunk or `words`, what else is shown of it. Accents and case do not count. */
export function matches(call: CallView, filter: string, words: string): boolean {
  const text = fold(
    [
      call.from.number,
      call.from.name,
      call.to.number,
      call.trunk,
      words,
      ...call.legs.flatMap(({ endpoint }) => [endpoint.number, endpoint.name]),
    ]
      .filter((part) => part != null)
      .join(' '),
  )
  return fold(filter)
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** `ł` and `ø` do not decompose in Unicode, though people leave their strokes out all the same. */
const strokes: Readonly<Record<string, string>> = { ł: 'l', ø: 'o', đ: 'd' }

function fold(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[łøđ]/g, (letter) => strokes[letter] ?? letter)
}
