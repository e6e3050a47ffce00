import type { Conference } from '#contract/documents/conference.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Extension } from '#contract/documents/people.ts'
import type { CompiledConference, CompiledMonitoring } from '#server/config/compiled.ts'
import { ofKind } from '#server/config/of-kind.ts'

/** A conference with every default filled in. */
export function compileConference(conference: Conference, extensions: readonly Extension[]): CompiledConference {
  const { id } = conference
  return {
    id,
    name: conference.name ?? id,
    number: extensions.find(({ target }) => 'conference' in target && target.conference === id)?.number ?? null,
    pin: conference.pin ?? null,
    moderatorPin: conference.moderatorPin ?? null,
    maxMembers: conference.maxMembers ?? 50,
    mutedOnEntry: conference.mutedOnEntry ?? false,
    tones: conference.tones ?? true,
    music: conference.music ?? true,
    record: conference.record ?? false,
  }
}

/** Who may listen to whom, by the numbers that people dial. */
export function compileMonitoring(documents: readonly ConfigDocument[], extensions: readonly Extension[]): readonly CompiledMonitoring[] {
  const numbers = new Map(extensions.map(({ id, number }) => [id, number]))
  const numbersOf = (ids: readonly string[]): ReadonlySet<string> => new Set(ids.flatMap((id) => numbers.get(id) ?? []))
  return ofKind(documents, 'monitoring').map(({ supervisors, agents, modes, tone }) => ({
    supervisors: numbersOf(supervisors),
    agents: agents === undefined ? null : numbersOf(agents),
    modes: new Set(modes ?? ['listen', 'whisper', 'barge']),
    tone: tone ?? true,
  }))
}
