import type { FlowNode } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'
import { exitsOf, nodeOf } from '#flows/graph.ts'
import { error, type Finding, type Linted, warning } from '#flows/lint/finding.ts'
import { reachable } from '#flows/lint/structure.ts'

/** A caller who is recorded has been told so before somebody can answer. */
export function recordingRule({ book, flow, recorded, entry }: Linted): Finding[] {
  if (!entry) return []
  const findings = new Map<string, Finding>()
  const start: Standing = { flow: flow.id, node: flow.start, recording: recorded, told: 'no' }
  for (const key of reachable(keyOf(start), (at) => nextOf(book, standingOf(at)).map(keyOf))) {
    const standing = standingOf(key)
    const node = nodeAt(book, standing)
    if (node === undefined || !canBeAnswered(book, node)) continue
    const finding = judge(standing, node, book, flow.id)
    if (finding !== null) findings.set(`${standing.node} ${finding.rule}`, finding)
  }
  return [...findings.values()]
}

/** A caller at a node, and what they know by then. `skippable`: told, but a key press could have cut it. */
interface Standing {
  flow: string
  node: string
  recording: boolean
  told: 'no' | 'skippable' | 'yes'
}

const keyOf = (s: Standing) => `${s.flow} ${s.node} ${s.recording} ${s.told}`

function standingOf(key: string): Standing {
  const [flow = '', node = '', recording, told] = key.split(' ')
  return { flow, node, recording: recording === 'true', told: told === 'yes' || told === 'skippable' ? told : 'no' }
}

const nodeAt = (book: FlowBook, { flow, node }: Standing) => nodeOf(book.flows.get(flow), node)

function canBeAnswered(book: FlowBook, node: FlowNode): boolean {
  if (node.type === 'menu') return node.extensions === true || (node.keys['0'] === undefined && book.company.operator !== undefined)
  return node.type === 'ring' || node.type === 'external'
}

function judge(standing: Standing, node: FlowNode, book: FlowBook, entry: string): Finding | null {
  if (!standing.recording) return null
  const told = after(book, standing, node).told
  if (told === 'yes') return null
  const path = standing.flow === entry ? ['nodes', standing.node] : ['start']
  return told === 'no'
    ? error('recording-notice', path, `the call is recorded, and a way leads to ${standing.node} on which the caller was not told`)
    : warning(
        'skippable-notice',
        path,
        `the caller can cut short the notice of recording before ${standing.node}: set bargeIn to false where it is said`,
      )
}

/** What the caller knows when the node's own prompts have been said. */
function after(book: FlowBook, standing: Standing, node: FlowNode): Standing {
  if (node.type === 'record') return { ...standing, recording: node.on }
  if (node.type !== 'play' && node.type !== 'menu') return standing
  if (!node.prompts.some((prompt) => book.prompts.get(prompt)?.recordingNotice === true)) return standing
  const told = node.bargeIn === false ? 'yes' : 'skippable'
  return standing.told === 'yes' ? standing : { ...standing, told }
}

function nextOf(book: FlowBook, standing: Standing): Standing[] {
  const node = nodeAt(book, standing)
  if (node === undefined) return []
  const now = after(book, standing, node)
  if (node.type !== 'goto') return exitsOf(node).map((exit) => ({ ...now, node: exit.to }))
  const flow = book.flows.get(node.flow)
  return flow === undefined ? [] : [{ ...now, flow: flow.id, node: flow.start }]
}
