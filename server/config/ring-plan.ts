import type { RingGroup } from '#contract/documents/ring-group.ts'
import { defaultRingSeconds, type RingStep, type RingTarget } from '#contract/documents/target.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'

/** One phone or outside number to ring. */
export type ResolvedTarget = (
  | { kind: 'device'; id: string }
  /** `confirm`: the key that the callee must press to be joined. */
  | { kind: 'external'; number: string; confirm?: string }
) & {
  /** The extension it is rung as, when it is rung as one. */
  as?: string
  /** It stops ringing after so long, at the latest with its step. */
  ms: number
  /** Not rung while it is on a call. */
  skipBusy: boolean
}

/** Targets that begin together. */
export interface ResolvedStep {
  targets: ResolvedTarget[]
  /** The longest of its targets. */
  ms: number
}

export interface ResolvedRing {
  steps: ResolvedStep[]
  /** Put before the caller's name on the phones, when a group that asks for it is rung. */
  callerNamePrefix?: string
  /** The ring that the phones are asked for, when a group has one of its own. */
  ringTone?: string
}

/**
 * Which phones ring when. Extensions, people and groups become their devices and outside numbers. A group that is a step's only target rings
 * by its own strategy, for at most the step's seconds if it has any; among other targets, all its members ring together.
 */
export function resolveRing(config: CompiledConfig, steps: readonly RingStep[]): ResolvedRing {
  const doors: RingGroup[] = []
  const ring: ResolvedRing = { steps: [] }
  for (const step of steps) {
    for (const resolved of resolveStep(config, step, doors)) if (resolved.targets.length > 0) ring.steps.push(resolved)
  }
  const prefix = doors.find((group) => group.callerNamePrefix !== undefined)?.callerNamePrefix
  const ringTone = doors.find((group) => group.ringTone !== undefined)?.ringTone
  if (prefix !== undefined) ring.callerNamePrefix = prefix
  if (ringTone !== undefined) ring.ringTone = ringTone
  return ring
}

function resolveStep(config: CompiledConfig, step: RingStep, doors: RingGroup[]): ResolvedStep[] {
  const only = step.targets.length === 1 ? step.targets[0] : undefined
  const group = only === undefined ? undefined : groupOf(config, only)
  if (group !== undefined) {
    doors.push(group)
    return within(groupSteps(config, group), step.seconds === undefined ? Infinity : step.seconds * 1000)
  }
  const ms = (step.seconds ?? defaultRingSeconds) * 1000
  const targets: ResolvedTarget[] = []
  for (const target of step.targets) {
    for (const resolved of resolveTarget(config, target, { ms, skipBusy: false })) targets.push(resolved)
  }
  return [stepOf(targets)]
}

/** The group that a target is, directly or as what an extension stands for. */
function groupOf(config: CompiledConfig, target: RingTarget): RingGroup | undefined {
  if ('ringGroup' in target) return config.ringGroups.get(target.ringGroup)
  if (!('extension' in target)) return undefined
  const behind = config.extensionsById.get(target.extension)?.target
  return behind !== undefined && 'ringGroup' in behind ? config.ringGroups.get(behind.ringGroup) : undefined
}

function groupSteps(config: CompiledConfig, group: RingGroup): ResolvedStep[] {
  const steps: ResolvedStep[] = []
  for (const members of batches(group)) {
    steps.push(stepOf(members.flatMap((member) => resolveMember(config, group, member))))
  }
  return steps
}

/** Members that begin together, in order; never more than `atOnce`. */
function batches(group: RingGroup): RingGroup['members'][] {
  const atOnce = group.strategy === 'in-order' ? 1 : (group.atOnce ?? group.members.length)
  const numbered = group.strategy === 'steps' ? [...group.members].sort((a, b) => (a.step ?? 1) - (b.step ?? 1)) : group.members
  const found: RingGroup['members'][] = []
  for (const member of numbered) {
    const last = found.at(-1)
    const together = group.strategy !== 'steps' || (last?.[0]?.step ?? 1) === (member.step ?? 1)
    if (last === undefined || !together || last.length >= atOnce) found.push([member])
    else last.push(member)
  }
  return found
}

function resolveMember(config: CompiledConfig, group: RingGroup, member: RingGroup['members'][number]): ResolvedTarget[] {
  const ms = (member.seconds ?? group.seconds ?? defaultRingSeconds) * 1000
  return resolveTarget(config, member, { ms, skipBusy: (group.busyMembers ?? 'skip') === 'skip' })
}

interface How {
  ms: number
  skipBusy: boolean
  as?: string
}

/** Extensions stand for no extensions and groups hold no groups, so this ends: extension, group, extension, person. */
function resolveTarget(config: CompiledConfig, target: RingTarget, how: How): ResolvedTarget[] {
  if ('device' in target) return config.devices.has(target.device) ? [phone(target.device, how)] : []
  if ('external' in target) return [outside(target.external, target.confirm, how)]
  if ('person' in target) return (config.devicesByPerson.get(target.person) ?? []).map(({ id }) => phone(id, how))
  if ('ringGroup' in target) {
    const group = config.ringGroups.get(target.ringGroup)
    return group === undefined ? [] : group.members.flatMap((member) => resolveMember(config, group, member))
  }
  const extension = config.extensionsById.get(target.extension)
  if (extension === undefined || 'flow' in extension.target || 'conference' in extension.target) return []
  return resolveTarget(config, extension.target, { ms: how.ms, skipBusy: how.skipBusy, as: extension.number })
}

function phone(id: string, { ms, skipBusy, as }: How): ResolvedTarget {
  return as === undefined ? { kind: 'device', id, ms, skipBusy } : { kind: 'device', id, ms, skipBusy, as }
}

function outside(number: string, confirm: string | undefined, { ms, skipBusy, as }: How): ResolvedTarget {
  const target: ResolvedTarget = { kind: 'external', number, ms, skipBusy }
  if (confirm !== undefined) target.confirm = confirm
  if (as !== undefined) target.as = as
  return target
}

function stepOf(targets: ResolvedTarget[]): ResolvedStep {
  const [only] = targets
  if (only === undefined || targets.length === 1) return { targets, ms: only?.ms ?? 0 }
  const seen = new Map<string, ResolvedTarget>()
  for (const target of targets) {
    const key = target.kind === 'device' ? `device ${target.id}` : `external ${target.number}`
    const known = seen.get(key)
    if (known === undefined || known.ms < target.ms) seen.set(key, target)
  }
  const unique = [...seen.values()]
  return { targets: unique, ms: unique.reduce((longest, target) => Math.max(longest, target.ms), 0) }
}

/** Cuts steps off at a total. */
function within(steps: readonly ResolvedStep[], totalMs: number): ResolvedStep[] {
  let left = totalMs
  return steps.flatMap((step) => {
    const ms = Math.min(step.ms, left)
    left -= ms
    return ms <= 0 ? [] : [{ ms, targets: step.targets.map((target) => ({ ...target, ms: Math.min(target.ms, ms) })) }]
  })
}
