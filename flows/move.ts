import type { Extension } from '#contract/documents/people.ts'
import type { Destination } from '#contract/documents/target.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import type { FlowRing, RingExits } from '#flows/types.ts'

/** Where the caller goes next. A handler gives one, or null when the run now waits for an input or has ended. */
export type Move =
  /** To a node of the same flow. `via`: the exit that led there. */
  | { to: 'node'; node: string; via?: string }
  /** To where a number, a group or a setting leads. `of`: who decides what follows when nobody takes it. */
  | { to: 'destination'; destination: Destination; of: 'menu' | 'target' }
  /** To an extension that was dialled. */
  | { to: 'extension'; extension: Extension | undefined; of: 'menu' | 'target' }
  | { to: 'ring'; plan: FlowRing; exits: RingExits; music?: readonly string[] }
  /** To the last words and the end. */
  | { to: 'end'; prompts: readonly string[]; reason: OutcomeKind }
  /** Nowhere: the documents lead astray. */
  | { to: 'nowhere'; detail: string }

export type Next = Move | null
