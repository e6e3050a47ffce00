import type { ConfigDocument } from '#contract/documents/document.ts'

/** A problem before its place in a file was looked up. `document` null: of the set as a whole. */
export interface Complaint {
  severity: 'error' | 'warning'
  rule: string
  message: string
  document: ConfigDocument | null
  path: readonly (string | number)[]
}

/** One group of rules over a whole set. */
export type Check = (documents: readonly ConfigDocument[]) => Complaint[]

/** An error, to be located. */
export function wrong(rule: string, document: ConfigDocument, path: Complaint['path'], message: string): Complaint {
  return { severity: 'error', rule, message, document, path }
}

/** A warning, to be located. */
export function unwise(rule: string, document: ConfigDocument, path: Complaint['path'], message: string): Complaint {
  return { severity: 'warning', rule, message, document, path }
}
