import type { Extension } from '#contract/documents/people.ts'
import { defaultExtensionSeconds } from '#contract/documents/people.ts'
import type { RingStep as DocumentStep, Target } from '#contract/documents/target.ts'
import type { RingPlan, RingTarget, Shown } from '#calls/needs.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { resolveRing, type ResolvedTarget } from '#server/config/ring-plan.ts'
import type { Dialled } from '#server/numbering/numbering.ts'

/** The ring plan of what was dialled; null when it leads into a flow or a conference. */
export function planOf(config: CompiledConfig, to: { target: Target; extension?: Extension }): RingPlan | null {
  if (to.extension !== undefined) {
    // Through the extension, so that phones and journal know it by its number.
    if ('flow' in to.extension.target || 'conference' in to.extension.target) return null
    const seconds = to.extension.seconds ?? ('ringGroup' in to.extension.target ? undefined : defaultExtensionSeconds)
    const targets = [{ extension: to.extension.id }]
    return planOfSteps(config, [seconds === undefined ? { targets } : { targets, seconds }])
  }
  return 'flow' in to.target || 'conference' in to.target ? null : planOfSteps(config, [{ targets: [to.target] }])
}

/** The phones and numbers of a plan written in documents. `show`: whose number is shown outside. */
export function planOfSteps(config: CompiledConfig, steps: readonly DocumentStep[], show?: Shown): RingPlan {
  const resolved = resolveRing(config, steps)
  const plan: RingPlan = {
    steps: resolved.steps.map((step) => ({ ms: step.ms, targets: step.targets.map((target) => targetOf(config, target, show)) })),
  }
  if (resolved.callerNamePrefix !== undefined) plan.namePrefix = resolved.callerNamePrefix
  if (resolved.ringTone !== undefined) plan.ringTone = resolved.ringTone
  return plan
}

function targetOf(config: CompiledConfig, target: ResolvedTarget, show?: Shown): RingTarget {
  const { ms, skipBusy } = target
  if (target.kind === 'external') {
    const external: RingTarget = { kind: 'external', number: target.number, label: target.number, ms }
    if (show !== undefined) external.show = show
    if (target.confirm !== undefined) external.confirm = target.confirm
    return external
  }
  const label = target.as ?? config.devices.get(target.id)?.extensions[0]?.number ?? target.id
  return { kind: 'device', id: target.id, label, ms, skipBusy }
}

/** How long a number outside may ring before we give up. */
const outsideRingMs = 120_000

export function outsidePlan(number: Dialled): RingPlan {
  const dialled = number.e164 ?? number.digits
  return { steps: [{ targets: [{ kind: 'external', number: dialled, label: dialled }], ms: outsideRingMs }] }
}

export function emergencyPlan(number: string): RingPlan {
  return { steps: [{ targets: [{ kind: 'external', number, label: number, emergency: true }], ms: outsideRingMs }] }
}
