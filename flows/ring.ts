import { defaultExtensionSeconds, type Extension } from '#contract/documents/people.ts'
import { defaultRingSeconds, type RingTarget } from '#contract/documents/target.ts'
import type { ExternalNode, RingNode } from '#contract/documents/flow.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import type { Draft } from '#flows/draft.ts'
import type { Move, Next } from '#flows/move.ts'
import type { FlowRing, RingExits } from '#flows/types.ts'

/** Seconds an outside number rings when its node does not say. */
export const defaultExternalSeconds = 30

type Of = 'menu' | 'target'

/** Rings a single target that stands for itself. */
export function toTarget(target: RingTarget, of: Of): Move {
  return { to: 'ring', plan: { steps: [{ targets: [target], seconds: defaultRingSeconds }], callerId: 'company' }, exits: { of } }
}

/** Goes where an extension leads. */
export function toExtension(extension: Extension | undefined, of: Of): Move {
  if (extension === undefined) return { to: 'nowhere', detail: 'an extension that does not exist' }
  const { target } = extension
  if ('flow' in target || 'ringGroup' in target || 'conference' in target) return { to: 'destination', destination: target, of }
  const seconds = extension.seconds ?? defaultExtensionSeconds
  return { to: 'ring', plan: { steps: [{ targets: [{ extension: extension.id }], seconds }], callerId: 'company' }, exits: { of } }
}

/** Rings a group; when nobody takes the call, the group says what follows. */
export function toRingGroup(draft: Draft, id: string, of: Of): Move {
  const group = draft.book.ringGroups.get(id)
  if (group === undefined) return { to: 'nowhere', detail: `a ring group that does not exist: ${id}` }
  const exits = { of, noAnswer: group.noAnswer, allBusy: group.allBusy ?? group.noAnswer }
  return { to: 'ring', plan: { steps: [{ targets: [{ ringGroup: id }] }], callerId: 'company' }, exits }
}

/** Rings what a node says. */
export function ofNode(node: RingNode | ExternalNode): Move {
  const plan = node.type === 'ring' ? { steps: node.steps, callerId: 'company' } : outside(node)
  const move = { to: 'ring' as const, plan, exits: { of: 'node' as const } }
  return node.music === undefined ? move : { ...move, music: node.music }
}

function outside(node: ExternalNode): FlowRing {
  const target = node.confirm === undefined ? { external: node.number } : { external: node.number, confirm: node.confirm }
  return { steps: [{ targets: [target], seconds: node.seconds ?? defaultExternalSeconds }], callerId: node.callerId ?? 'company' }
}

/** Nobody took the ring: where its exits lead, else the end of the call with that outcome. */
export function unanswered(draft: Draft, exits: RingExits, outcome: OutcomeKind): Next {
  const exit = exitFor(outcome)
  const { node } = draft
  if (exits.of === 'node' && (node?.type === 'ring' || node?.type === 'external')) {
    const own = exit === 'no-answer' ? undefined : node[exit]
    return { to: 'node', node: own ?? node.noAnswer, via: exit }
  }
  if (exits.of === 'menu' && node?.type === 'menu' && node.noAnswer !== undefined) return { to: 'node', node: node.noAnswer, via: exit }
  const next = exit === 'busy' ? exits.allBusy : exits.noAnswer
  if (next !== undefined) return { to: 'destination', destination: next, of: 'target' }
  draft.end('hung-up', { kind: outcome, by: exit === 'unreachable' ? 'us' : 'callee' })
  return null
}

function exitFor(outcome: OutcomeKind): 'no-answer' | 'busy' | 'unreachable' {
  switch (outcome) {
    case 'busy':
      return 'busy'
    case 'unreachable':
    case 'wrong-number':
    case 'barred':
    case 'overloaded':
    case 'failed':
      return 'unreachable'
    default:
      return 'no-answer'
  }
}
