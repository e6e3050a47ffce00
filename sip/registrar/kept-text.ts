import { flatText } from '#base/flat-text.ts'

/**
 * A text of a message as a binding keeps it: the one of the binding `before` where that is the same, as nearly all of a refresh are, else a
 * copy. Texts that are made anew each time have the garbage collector carry them into old age.
 */
export function keptText<Text extends string | null>(text: Text, before: Text | undefined): string | Text {
  if (before !== undefined && text === before) return before
  return text === null ? text : flatText(text)
}

/** As `keptText`, of a list. */
export function keptTexts(texts: readonly string[], before: readonly string[] = NONE): readonly string[] {
  const isSame = texts.length === before.length && texts.every((text, at) => text === before[at])
  return isSame ? before : texts.map((text) => flatText(text))
}

const NONE: readonly string[] = []
