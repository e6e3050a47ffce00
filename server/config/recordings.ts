import { longerKept } from '#calls/record.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Recording } from '#contract/documents/numbers.ts'
import type { CompiledConfig, CompiledRecording, RecordedCall } from '#server/config/compiled.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** The recording policies that a call falls under, in document order; none: it is not recorded, unless a flow switches it on. */
export function recordingsFor(config: CompiledConfig, call: RecordedCall): Recording[] {
  return config.recordings
    .filter(
      ({ directions, numbers, extensions }) =>
        (directions === null || directions.has(call.direction)) && covers(numbers, [call.number]) && covers(extensions, call.extensions),
    )
    .map(({ policy }) => policy)
}

/**
 * Days for which what these policies cover together is kept: as long as the one that keeps it longest, so that none loses what it was promised.
 * At least one; undefined: one of them keeps it for good.
 */
export function keepDaysOf(policies: readonly Recording[]): number | undefined {
  return policies.map(({ keepDays }) => keepDays).reduce(longerKept)
}

/** Whether some call that comes in on `number` (E.164) may be recorded, whoever takes it. */
export function mayRecord(config: CompiledConfig, number: string): boolean {
  return config.recordings.some(
    ({ directions, numbers }) => (directions === null || directions.has('inbound')) && covers(numbers, [number]),
  )
}

function covers(scope: ReadonlySet<string> | null, any: readonly (string | undefined)[]): boolean {
  return scope === null || any.some((one) => one !== undefined && scope.has(one))
}

/** Turns the ids in policies into what calls know: numbers. */
export function compileRecordings(documents: readonly ConfigDocument[]): CompiledRecording[] {
  const numbers = ofKind(documents, 'number')
  const extensions = ofKind(documents, 'extension')
  return ofKind(documents, 'recording').map((policy) => {
    const covered = numbers.filter((n) => n.recording === policy.id || policy.numbers?.includes(n.id) === true)
    const scoped = policy.numbers !== undefined || covered.length > 0
    return {
      policy,
      directions: policy.directions === undefined ? null : new Set(policy.directions),
      numbers: scoped ? new Set(covered.map((n) => n.number)) : null,
      extensions:
        policy.extensions === undefined
          ? null
          : new Set(extensions.filter((e) => policy.extensions?.includes(e.id) === true).map((e) => e.number)),
    }
  })
}
