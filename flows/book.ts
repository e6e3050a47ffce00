import type { CallerList } from '#contract/documents/numbers.ts'
import type { Company } from '#contract/documents/company.ts'
import type { Extension } from '#contract/documents/people.ts'
import type { Flow } from '#contract/documents/flow.ts'
import type { Hours } from '#contract/documents/hours.ts'
import type { Prompt } from '#contract/documents/prompt.ts'
import type { RingGroup } from '#contract/documents/ring-group.ts'

/**
 * All that a run may look up: one version of a company's configuration, immutable. A compiled configuration is one; so is what the browser
 * holds of the documents it edits. Keys are ids unless said otherwise.
 */
export interface FlowBook {
  readonly company: Company
  readonly flows: ReadonlyMap<string, Flow>
  readonly hours: ReadonlyMap<string, Hours>
  readonly prompts: ReadonlyMap<string, Prompt>
  readonly callerLists: ReadonlyMap<string, CallerList>
  readonly ringGroups: ReadonlyMap<string, RingGroup>
  /** By the number dialled, not by id. */
  readonly extensions: ReadonlyMap<string, Extension>
  /** By id. */
  readonly extensionsById: ReadonlyMap<string, Extension>
  /** Length of a prompt in milliseconds, where its file or cached speech is known. */
  readonly promptMs: ReadonlyMap<string, number>
}
