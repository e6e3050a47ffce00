import type { ConfigDocument, DocumentKind, DocumentOf } from '#contract/documents/document.ts'

/** The documents of one kind, in order. */
export function ofKind<K extends DocumentKind>(documents: readonly ConfigDocument[], kind: K): DocumentOf<K>[] {
  return documents.filter((document): document is DocumentOf<K> => document.kind === kind)
}
