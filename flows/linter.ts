import type { Flow } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'
import type { Finding, Linted } from '#flows/lint/finding.ts'
import { greetingRules } from '#flows/lint/greeting.ts'
import { loopRule } from '#flows/lint/loops.ts'
import { menuRules } from '#flows/lint/menus.ts'
import { recordingRule } from '#flows/lint/recording.ts'
import { structureRules } from '#flows/lint/structure.ts'

export type { Finding, Rule } from '#flows/lint/finding.ts'

/** How callers come to a flow. */
export interface Entrance {
  /** From outside, by a public number. */
  entry: boolean
  /** Their calls are recorded by a policy. */
  recorded: boolean
}

/**
 * Checks one flow against the rules of good practice. With no error among the findings, no caller can fall through: every way ends with
 * somebody who answers, or with a hang-up that the document asks for. Warnings that the flow waives are left out.
 */
export function lint(book: FlowBook, flow: Flow, entrance: Entrance): Finding[] {
  const linted: Linted = { book, flow, ...entrance }
  const structure = structureRules(linted)
  const findings = [...structure, ...menuRules(linted), ...loopRule(linted), ...recordingRule(linted), ...greetingRules(linted)]
  return findings.filter((finding) => finding.severity === 'error' || flow.waive?.includes(finding.rule) !== true)
}
