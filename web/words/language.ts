import { en } from '#web/words/en.ts'
import { pl } from '#web/words/pl.ts'
import { ru } from '#web/words/ru.ts'
import type { Words } from '#web/words/words.ts'
import { zh } from '#web/words/zh.ts'

/** The languages of the page, in the order in which they are offered. */
export const languages: readonly Words[] = [en, pl, ru, zh]

/** The first of the wished languages (BCP 47) that the page speaks; otherwise English. */
export function choose(wished: readonly string[]): Words {
  for (const wish of wished) {
    const found = languages.find((words) => primary(words.language) === primary(wish))
    if (found !== undefined) return found
  }
  return en
}

/** How the reader writes times and numbers: their own region's way if they read its language, otherwise the language's. */
export function localeOf(words: Words, wished: readonly string[]): string {
  return wished.find((wish) => primary(wish) === primary(words.language)) ?? words.language
}

function primary(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? tag
}
