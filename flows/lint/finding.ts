import type { Flow, FlowNode } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'

/** Something the linter says about a flow. An error keeps the configuration from being applied; a warning can be waived by its rule's name. */
export interface Finding {
  severity: 'error' | 'warning'
  rule: Rule
  /** Where, within the flow document. */
  path: readonly (string | number)[]
  /** One sentence for the person who edits. */
  message: string
}

export type Rule =
  | 'dangling-exit'
  | 'unreachable-node'
  | 'no-answer-exit'
  | 'loop-without-input'
  | 'no-operator'
  | 'recording-notice'
  | 'skippable-notice'
  | 'long-greeting'
  | 'many-items'
  | 'deep-menu'
  | 'leading-music'
  | 'one-scenario'
  | 'nameless-greeting'

/** One flow under the linter. */
export interface Linted {
  book: FlowBook
  flow: Flow
  /** Whether callers from outside enter here, from a public number. */
  entry: boolean
  /** Whether a policy records the calls that enter here. */
  recorded: boolean
}

/** The nodes of a flow with their ids, in document order. */
export function nodesOf(flow: Flow): [id: string, node: FlowNode][] {
  return Object.entries(flow.nodes)
}

export const error = (rule: Rule, path: Finding['path'], message: string): Finding => ({ severity: 'error', rule, path, message })
export const warning = (rule: Rule, path: Finding['path'], message: string): Finding => ({ severity: 'warning', rule, path, message })
