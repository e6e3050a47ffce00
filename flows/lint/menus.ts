import type { MenuNode } from '#contract/documents/flow.ts'
import { exitsOf, nodeOf } from '#flows/graph.ts'
import { error, type Finding, type Linted, nodesOf, warning } from '#flows/lint/finding.ts'

const maxItems = 5
const maxDepth = 2

/** Menus are short and shallow, and every one has a way to a human. */
export function menuRules(linted: Linted): Finding[] {
  const findings: Finding[] = []
  for (const [id, node] of nodesOf(linted.flow)) {
    if (node.type !== 'menu') continue
    const path = ['nodes', id]
    const items = Object.keys(node.keys).filter((key) => key >= '1' && key <= '9').length
    if (items > maxItems)
      findings.push(warning('many-items', [...path, 'keys'], `${id} offers ${items} choices; callers remember ${maxItems}`))
    findings.push(...operatorRules(linted, id, node))
  }
  return [...findings, ...depthRule(linted)]
}

function operatorRules({ book }: Linted, id: string, node: MenuNode): Finding[] {
  const { operator } = book.company
  const findings: Finding[] = []
  if (node.keys['0'] === undefined && operator === undefined) {
    findings.push(error('no-operator', ['nodes', id], `key 0 of ${id} reaches nobody: give it an exit, or the company an operator`))
  }
  if (node.noAnswer !== undefined) return findings
  if (node.extensions === true) {
    findings.push(
      error('no-answer-exit', ['nodes', id], `${id} lets callers dial extensions: say with noAnswer where they go when nobody answers`),
    )
  } else if (
    node.keys['0'] === undefined &&
    operator !== undefined &&
    !('flow' in operator) &&
    !('ringGroup' in operator) &&
    !('conference' in operator)
  ) {
    findings.push(
      error('no-answer-exit', ['nodes', id], `key 0 of ${id} rings the operator: say with noAnswer where callers go when nobody answers`),
    )
  }
  return findings
}

/** Counts menus on the way by keys; a menu reached again (back to the main menu) is no deeper. */
function depthRule({ flow }: Linted): Finding[] {
  const depths = new Map<string, number>()
  const queue: [id: string, depth: number][] = [[flow.start, 0]]
  for (const [id, before] of queue) {
    const node = nodeOf(flow, id)
    if (node === undefined || depths.has(id)) continue
    const depth = node.type === 'menu' ? before + 1 : before
    depths.set(id, depth)
    for (const exit of exitsOf(node)) queue.push([exit.to, depth])
  }
  return nodesOf(flow)
    .filter(([id, node]) => node.type === 'menu' && (depths.get(id) ?? 0) > maxDepth)
    .map(([id]) =>
      warning('deep-menu', ['nodes', id], `${id} is menu number ${depths.get(id)} on its way; callers give up after ${maxDepth}`),
    )
}
