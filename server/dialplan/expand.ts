import type { RingGroup } from '#contract/documents/ring-group.ts'
import { type RingStep as DocumentStep, type RingTarget as DocumentTarget, defaultRingSeconds } from '#contract/documents/target.ts'
import { defaultExtensionSeconds, type Device, type Extension } from '#contract/documents/people.ts'
import type { RingPlan, RingStep, RingTarget, Shown } from '#calls/needs.ts'
import type { CompanyBook } from '#server/dialplan/book.ts'

const group = { atOnce: Number.MAX_SAFE_INTEGER, seconds: 20 } as const

/** A ring plan of the configuration, down to phones and numbers. A group that stands alone in its step keeps its own steps. */
export function expandSteps(book: CompanyBook, steps: readonly DocumentStep[], show?: Shown): RingPlan {
  return {
    steps: steps.flatMap((step): RingStep[] => {
      const only = step.targets.length === 1 ? groupOf(book, step.targets[0]) : null
      if (only !== null) return groupSteps(book, only, show)
      const ms = (step.seconds ?? defaultRingSeconds) * 1000
      return [{ targets: step.targets.flatMap((target) => expandTarget(book, target, show)), ms }]
    }),
  }
}

/** What rings when an extension is dialled directly. Null: its target is a flow. */
export function expandExtension(book: CompanyBook, extension: Extension): RingPlan | null {
  const { target } = extension
  if ('flow' in target) return null
  const only = groupOf(book, target)
  if (only !== null) return { steps: groupSteps(book, only) }
  return { steps: [{ targets: expandTarget(book, target, undefined, extension.number), ms: (extension.seconds ?? defaultExtensionSeconds) * 1000 }] }
}

/** The group a target leads to, through an extension as well. */
export function groupOf(book: CompanyBook, target: DocumentTarget | undefined): RingGroup | null {
  if (target === undefined) return null
  if ('ringGroup' in target) return book.ringGroups.get(target.ringGroup) ?? null
  const next = 'extension' in target ? book.extensionsById.get(target.extension)?.target : undefined
  return next !== undefined && 'ringGroup' in next ? (book.ringGroups.get(next.ringGroup) ?? null) : null
}

function groupSteps(book: CompanyBook, of: RingGroup, show?: Shown): RingStep[] {
  const seconds = of.seconds ?? group.seconds
  const waves = wavesOf(of)
  return waves.map((wave) => ({
    targets: wave.flatMap((member) =>
      expandTarget(book, member, show).map((t) => (t.kind === 'device' && of.busyMembers !== 'ring' ? { ...t, skipBusy: true } : t)),
    ),
    ms: Math.max(...wave.map((member) => member.seconds ?? seconds)) * 1000,
  }))
}

/** The members that ring together, wave after wave. */
function wavesOf(of: RingGroup): RingGroup['members'][] {
  const waves = new Map<number, RingGroup['members']>()
  for (const [index, member] of of.members.entries()) {
    const wave = of.strategy === 'together' ? 0 : of.strategy === 'in-order' ? index : (member.step ?? 1)
    waves.set(wave, [...(waves.get(wave) ?? []), member])
  }
  const most = of.atOnce ?? group.atOnce
  return [...waves.entries()]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([, members]) => Array.from({ length: Math.ceil(members.length / most) }, (_, i) => members.slice(i * most, (i + 1) * most)))
}

/** `label`: the extension through which we came here. */
function expandTarget(book: CompanyBook, target: DocumentTarget, show?: Shown, label?: string): RingTarget[] {
  if ('extension' in target) {
    const extension = book.extensionsById.get(target.extension)
    if (extension === undefined || 'flow' in extension.target) return [nobody(label ?? target.extension, 'it leads to no phone')]
    return expandTarget(book, extension.target, show, extension.number)
  }
  if ('person' in target) {
    const devices = book.devicesOfPerson.get(target.person) ?? []
    const name = label ?? target.person
    return devices.length === 0 ? [nobody(name, 'this person has no phone')] : devices.map((device) => ring(device, name))
  }
  if ('device' in target) {
    const device = book.devices.get(target.device)
    return device === undefined ? [nobody(label ?? target.device, 'there is no such phone')] : [ring(device, label ?? device.id)]
  }
  if ('external' in target) return [{ kind: 'external', number: target.external, label: target.external, ...(show !== undefined && { show }) }]
  const inner = book.ringGroups.get(target.ringGroup)
  return inner === undefined ? [nobody(target.ringGroup, 'there is no such group')] : groupSteps(book, inner, show).flatMap((s) => s.targets)
}

function ring(device: Device, label: string): RingTarget {
  return { kind: 'device', id: device.id, label }
}

function nobody(label: string, detail: string): RingTarget {
  return { kind: 'nobody', label, outcome: { kind: 'unreachable', by: 'nobody', detail } }
}
