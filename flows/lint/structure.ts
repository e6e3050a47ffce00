import { exitsOf, nodeOf } from '#flows/graph.ts'
import { error, type Finding, type Linted, nodesOf } from '#flows/lint/finding.ts'

/** Every exit leads to a node, and every node can be reached. */
export function structureRules({ flow }: Linted): Finding[] {
  const findings: Finding[] = []
  if (nodeOf(flow, flow.start) === undefined) {
    findings.push(error('dangling-exit', ['start'], `the flow starts at ${flow.start}, which is not among its nodes`))
  }
  for (const [id, node] of nodesOf(flow)) {
    for (const exit of exitsOf(node)) {
      if (nodeOf(flow, exit.to) !== undefined) continue
      findings.push(
        error('dangling-exit', ['nodes', id, ...exit.path], `exit ${exit.name} of ${id} leads to ${exit.to}, which is not a node`),
      )
    }
  }
  const reached = reachable(flow.start, (id) => {
    const node = nodeOf(flow, id)
    return node === undefined ? [] : exitsOf(node).map((exit) => exit.to)
  })
  for (const [id] of nodesOf(flow)) {
    if (!reached.has(id)) findings.push(error('unreachable-node', ['nodes', id], `no way leads to ${id}`))
  }
  return findings
}

/** All that can be reached from `start`, itself included. */
export function reachable<T>(start: T, next: (from: T) => readonly T[]): Set<T> {
  const seen = new Set([start])
  for (const one of seen) for (const to of next(one)) seen.add(to)
  return seen
}
