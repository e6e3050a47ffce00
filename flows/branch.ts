import type { CallerNode, HoursNode } from '#contract/documents/flow.ts'
import { fits, isListed } from '#flows/caller-match.ts'
import type { Draft } from '#flows/draft.ts'
import { decideHours } from '#flows/hours.ts'
import type { Move } from '#flows/move.ts'

/** Decides by opening hours at the draft's instant. */
export function byHours(draft: Draft, node: HoursNode): Move {
  const hours = draft.book.hours.get(node.hours)
  if (hours === undefined) return { to: 'nowhere', detail: `hours that do not exist: ${node.hours}` }
  const { state, named, because } = decideHours(hours, draft.book.company.timezone, draft.now)
  draft.tell({ kind: 'hours.decided', hours: node.hours, state: named ?? state, because })
  if (state === 'open') return { to: 'node', node: node.open, via: 'open' }
  if (named !== undefined && node.states !== undefined && Object.hasOwn(node.states, named)) {
    const special = node.states[named]
    if (special !== undefined) return { to: 'node', node: special, via: named }
  }
  if (state === 'holiday' && node.holiday !== undefined) return { to: 'node', node: node.holiday, via: 'holiday' }
  return { to: 'node', node: node.closed, via: state }
}

/** Decides by who calls: the first case that fits. */
export function byCaller(draft: Draft, node: CallerNode): Move {
  const { number } = draft.run.caller
  const found = node.cases.findIndex((one) => isCase(draft, one, number))
  const one = node.cases[found]
  return one === undefined
    ? { to: 'node', node: node.otherwise, via: 'otherwise' }
    : { to: 'node', node: one.next, via: `case-${found + 1}` }
}

function isCase(draft: Draft, one: CallerNode['cases'][number], number: string | null): boolean {
  if (number === null) return one.anonymous === true
  const list = one.list === undefined ? undefined : draft.book.callerLists.get(one.list)
  return (list !== undefined && isListed(list, number)) || (one.numbers?.some((pattern) => fits(pattern, number)) ?? false)
}
