import type { Outcome } from '#contract/outcome.ts'
import type { Destination, Target } from '#contract/documents/target.ts'
import type { RingPlan } from '#calls/needs.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { decideInside } from '#server/dialplan/decide.ts'
import { planOf } from '#server/dialplan/plan.ts'

/** Groups that hand a transferred call on to each other in a ring end here. */
const mostGroups = 5

/** A target that takes calls as they are: nobody is rung. */
export type Door = Extract<Target, { flow: string } | { conference: string }>

/** What somebody inside reaches under a number, where that is a flow or a conference; null: it is not. */
export function doorAt(config: CompiledConfig, number: string): Door | null {
  const target = targetAt(config, number)
  return target === null ? null : doorOf(target)
}

/** Where a call goes on that was sent to a number, each time that nobody has taken it: as the ring groups on the way have it; null: nowhere. */
export function onwardFrom(config: CompiledConfig, number: string): (outcome: Outcome) => { plan: RingPlan } | { door: Door } | null {
  let at = targetAt(config, number)
  let groups = 0
  return (outcome) => {
    const next = at === null || groups++ >= mostGroups ? null : afterGroup(config, at, outcome)
    at = next
    if (next === null) return null
    const door = doorOf(next)
    if (door !== null) return { door }
    const plan = planOf(config, { target: next })
    return plan === null ? null : { plan }
  }
}

function afterGroup(config: CompiledConfig, target: Target, { kind }: Outcome): Target | null {
  const group = 'ringGroup' in target ? config.ringGroups.get(target.ringGroup) : undefined
  if (group === undefined) return null
  const next: Destination = kind === 'busy' ? (group.allBusy ?? group.noAnswer) : group.noAnswer
  // Whoever has sent the call here can do better than to let it end.
  return 'hangup' in next ? null : behind(config, next)
}

function targetAt(config: CompiledConfig, number: string): Target | null {
  const route = decideInside(config, number)
  return route.kind === 'target' ? behind(config, route.target) : null
}

/** What an extension stands for, unless that is a phone, which is known by its extension. */
function behind(config: CompiledConfig, target: Target): Target {
  const meant = 'extension' in target ? config.extensionsById.get(target.extension)?.target : undefined
  return meant !== undefined && (doorOf(meant) !== null || 'ringGroup' in meant) ? meant : target
}

function doorOf(target: Target): Door | null {
  return 'flow' in target || 'conference' in target ? target : null
}
