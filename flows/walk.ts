import { unreachable } from '#base/unreachable.ts'
import type { FlowNode } from '#contract/documents/flow.ts'
import type { Destination } from '#contract/documents/target.ts'
import { byCaller, byHours } from '#flows/branch.ts'
import type { Draft } from '#flows/draft.ts'
import { nodeOf } from '#flows/graph.ts'
import { enterMenu } from '#flows/menu.ts'
import type { Move, Next } from '#flows/move.ts'
import { ofNode, toExtension, toRingGroup, toTarget } from '#flows/ring.ts'
import { maxStepsWithoutCaller } from '#flows/types.ts'

/** Follows moves until the run waits for an input or has ended. */
export function walk(draft: Draft, first: Next): void {
  let next = first
  while (next !== null) next = make(draft, next)
}

function make(draft: Draft, move: Move): Next {
  if (++draft.changed.steps > maxStepsWithoutCaller) {
    return draft.break(`went through ${maxStepsWithoutCaller} steps without a key from the caller: a loop`)
  }
  switch (move.to) {
    case 'node':
      return toNode(draft, move.node, move.via)
    case 'destination':
      return toDestination(draft, move.destination, move.of)
    case 'extension':
      return toExtension(move.extension, move.of)
    case 'ring':
      return startRing(draft, move)
    case 'end':
      return part(draft, move)
    case 'nowhere':
      return draft.break(move.detail)
    default:
      return unreachable(move)
  }
}

function toNode(draft: Draft, id: string, via: string | undefined): Next {
  const flow = draft.run.place?.flow
  const node = flow === undefined ? undefined : nodeOf(draft.book.flows.get(flow), id)
  if (flow === undefined || node === undefined) return draft.break(`no node ${id} in flow ${flow ?? '(none)'}`)
  draft.changed.place = { flow, node: id }
  const { type } = node
  draft.tell(via === undefined ? { kind: 'flow.stepped', flow, node: id, type } : { kind: 'flow.stepped', flow, node: id, type, via })
  return perform(draft, node)
}

function perform(draft: Draft, node: FlowNode): Next {
  switch (node.type) {
    case 'play':
      if (node.bargeIn !== false && draft.run.keys !== '') return { to: 'node', node: node.next, via: 'key-ahead' }
      return draft.become({ name: 'playing', play: draft.play(node.prompts), prompts: node.prompts })
    case 'menu':
      return enterMenu(draft, node)
    case 'hours':
      return byHours(draft, node)
    case 'caller':
      return byCaller(draft, node)
    case 'ring':
    case 'external':
      return ofNode(node)
    case 'record':
      draft.changed.recording = node.on
      draft.emit({ kind: 'record', on: node.on, mailTo: node.mailTo ?? [] })
      return { to: 'node', node: node.next, via: 'next' }
    case 'goto':
      return enterFlow(draft, node.flow)
    case 'hangup':
      return { to: 'end', prompts: node.prompts ?? [], reason: node.reason ?? 'completed' }
    default:
      return unreachable(node)
  }
}

function toDestination(draft: Draft, destination: Destination, of: 'menu' | 'target'): Next {
  if ('flow' in destination) return enterFlow(draft, destination.flow)
  if ('hangup' in destination) return { to: 'end', prompts: destination.hangup.prompts ?? [], reason: 'completed' }
  if (of === 'target') leaveFlow(draft)
  if ('conference' in destination) {
    draft.answer()
    draft.emit({ kind: 'conference', conference: destination.conference })
    return draft.end('answered', { kind: 'answered', by: 'us' })
  }
  if ('ringGroup' in destination) return toRingGroup(draft, destination.ringGroup, of)
  if ('extension' in destination) return { to: 'extension', extension: draft.book.extensionsById.get(destination.extension), of }
  return toTarget(destination, of)
}

function enterFlow(draft: Draft, id: string): Next {
  leaveFlow(draft)
  const flow = draft.book.flows.get(id)
  if (flow === undefined) return draft.break(`a flow that does not exist: ${id}`)
  draft.changed.place = { flow: id, node: flow.start }
  draft.tell({ kind: 'flow.entered', flow: id })
  return { to: 'node', node: flow.start }
}

function leaveFlow(draft: Draft): void {
  const { place } = draft.run
  if (place === null) return
  draft.tell({ kind: 'flow.left', flow: place.flow, why: 'went-on' })
  draft.changed.place = null
}

function startRing(draft: Draft, move: Extract<Move, { to: 'ring' }>): null {
  const { plan, exits, music } = move
  if (music !== undefined) draft.answer()
  const ring = draft.token()
  if (music === undefined) {
    draft.emit({ kind: 'ring', token: ring, plan })
    return draft.become({ name: 'ringing', ring, plan, exits })
  }
  draft.emit({ kind: 'ring', token: ring, plan, music })
  return draft.become({ name: 'ringing', ring, plan, exits, music })
}

function part(draft: Draft, { prompts, reason }: Extract<Move, { to: 'end' }>): null {
  const outcome = { kind: reason, by: 'us' as const }
  if (prompts.length === 0) return draft.end('hung-up', outcome)
  return draft.become({ name: 'parting', outcome, play: draft.play(prompts), prompts })
}
