import type { Answer } from '#web/access/api.ts'
import type { Words } from '#web/words/words.ts'

/** Why something could not be done, for whoever asked for it. */
export function refusalWords(answer: Exclude<Answer<unknown>, { kind: 'ok' }>, words: Words): string {
  if (answer.kind === 'away') return words.page.unreachable
  const { title, detail } = answer.problem
  return detail ?? title
}
