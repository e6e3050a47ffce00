import type { Destination } from '#contract/documents/target.ts'
import type { FlowNode, MenuNode } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'
import { exitsOf, nodeOf } from '#flows/graph.ts'
import { error, type Finding, type Linted, nodesOf } from '#flows/lint/finding.ts'
import { reachable } from '#flows/lint/structure.ts'

/** No caller who presses nothing goes round for ever: each circle, also through other flows and groups, contains a key press. */
export function loopRule({ book, flow }: Linted): Finding[] {
  return nodesOf(flow).flatMap(([id]) => {
    const here = placeOf(flow.id, id)
    const after = silently(book, here).flatMap((next) => [...reachable(next, (place) => silently(book, place))])
    if (!after.includes(here)) return []
    return [error('loop-without-input', ['nodes', id], `a caller who presses nothing comes back to ${id} for ever`)]
  })
}

type Place = string
const placeOf = (flow: string, node: string): Place => `${flow} ${node}`

/** Where a caller who presses nothing can come from here. */
function silently(book: FlowBook, place: Place): Place[] {
  const [flowId = '', nodeId = ''] = place.split(' ')
  const flow = book.flows.get(flowId)
  const node = nodeOf(flow, nodeId)
  if (flow === undefined || node === undefined) return []
  const exits = silentExits(node).map((to) => placeOf(flowId, to))
  return [...exits, ...elsewhere(book, node).flatMap((id) => startOf(book, id))]
}

function silentExits(node: FlowNode): string[] {
  if (node.type !== 'menu') return exitsOf(node).map((exit) => exit.to)
  const silence = node.silence ?? node.wrong
  return [silence, silence === undefined ? node.noAnswer : undefined].filter((to) => to !== undefined)
}

function startOf(book: FlowBook, id: string): Place[] {
  const flow = book.flows.get(id)
  return flow === undefined ? [] : [placeOf(id, flow.start)]
}

/** Flows that a silent caller can be sent on to. */
function elsewhere(book: FlowBook, node: FlowNode): string[] {
  if (node.type === 'goto') return [node.flow]
  return node.type === 'menu' && silentMenuReachesOperator(node)
    ? flowsBehind(book, book.company.operator, node.noAnswer !== undefined)
    : []
}

const silentMenuReachesOperator = (node: MenuNode) => node.silence === undefined && node.wrong === undefined

function flowsBehind(book: FlowBook, first: Destination | undefined, caught: boolean): string[] {
  const flows: string[] = []
  const groups = new Set<string>()
  const ahead = first === undefined ? [] : [first]
  for (const destination of ahead) {
    const target = 'extension' in destination ? book.extensionsById.get(destination.extension)?.target : destination
    if (target === undefined) continue
    if ('flow' in target) flows.push(target.flow)
    if (!('ringGroup' in target) || caught || groups.has(target.ringGroup)) continue
    groups.add(target.ringGroup)
    const group = book.ringGroups.get(target.ringGroup)
    if (group !== undefined) ahead.push(group.noAnswer, group.allBusy ?? group.noAnswer)
  }
  return flows
}
