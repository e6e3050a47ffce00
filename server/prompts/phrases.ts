/** What a system says, by language; any other language hears English. */
export interface Phrases<T> {
  readonly en: T
  readonly others: ReadonlyMap<string, T>
}

/** The phrases for a language such as `pl-PL`, and the language they are in. */
export function phrasesIn<T>(phrases: Phrases<T>, language: string): { phrases: T; language: string } {
  const known = phrases.others.get(language.split('-')[0] ?? '')
  return known === undefined
    ? { phrases: phrases.en, language: language.split('-')[0] === 'en' ? language : 'en' }
    : { phrases: known, language }
}
