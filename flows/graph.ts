import type { Flow, FlowNode } from '#contract/documents/flow.ts'

/** The node of that id; never something inherited (`constructor` is a possible id). */
export function nodeOf(flow: Flow | undefined, id: string): FlowNode | undefined {
  return flow !== undefined && Object.hasOwn(flow.nodes, id) ? flow.nodes[id] : undefined
}

/** One way out of a node: the name it has in transcripts, where it leads, and where in the document it is written. */
export interface FlowExit {
  name: string
  to: string
  path: readonly (string | number)[]
}

/** Every exit that a node has in its document, in the order of the document kind. A goto has none: it leaves the flow. */
export function exitsOf(node: FlowNode): FlowExit[] {
  switch (node.type) {
    case 'play':
    case 'record':
      return present([['next', node.next]])
    case 'menu':
      return [
        ...Object.entries(node.keys).map(([key, to]) => ({ name: key, to, path: ['keys', key] })),
        ...present([
          ['wrong', node.wrong],
          ['silence', node.silence],
          ['noAnswer', node.noAnswer],
        ]),
      ]
    case 'hours':
      return [
        ...present([
          ['open', node.open],
          ['closed', node.closed],
          ['holiday', node.holiday],
        ]),
        ...Object.entries(node.states ?? {}).map(([name, to]) => ({ name, to, path: ['states', name] })),
      ]
    case 'caller':
      return [
        ...node.cases.map((one, i) => ({ name: `case-${i + 1}`, to: one.next, path: ['cases', i, 'next'] })),
        ...present([['otherwise', node.otherwise]]),
      ]
    case 'ring':
    case 'external':
      return present([
        ['noAnswer', node.noAnswer],
        ['busy', node.busy],
        ['unreachable', node.unreachable],
      ])
    default:
      return []
  }
}

function present(exits: readonly (readonly [string, string | undefined])[]): FlowExit[] {
  return exits.flatMap(([name, to]) => (to === undefined ? [] : [{ name, to, path: [name] }]))
}
