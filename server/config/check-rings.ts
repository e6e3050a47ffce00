import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Extension } from '#contract/documents/people.ts'
import type { RingGroup } from '#contract/documents/ring-group.ts'
import type { Destination } from '#contract/documents/target.ts'
import { unwise, wrong, type Complaint } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { referencesOf } from '#server/config/references.ts'

/** Groups do not nest or go round, people who are rung have phones, prompts can be heard, outside numbers have a way out. */
export function ringChecks(documents: readonly ConfigDocument[]): Complaint[] {
  return [...groups(documents), ...phones(documents), ...prompts(documents), ...outside(documents)]
}

function groups(documents: readonly ConfigDocument[]): Complaint[] {
  const extensions = new Map(ofKind(documents, 'extension').map((e) => [e.id, e]))
  const byId = new Map(ofKind(documents, 'ring-group').map((g) => [g.id, g]))
  return [...byId.values()].flatMap((group) => [...members(group, extensions), ...circle(group, byId, extensions)])
}

function members(group: RingGroup, extensions: ReadonlyMap<string, Extension>): Complaint[] {
  return group.members.flatMap((member, i) => {
    const complaints: Complaint[] = []
    const target = 'extension' in member ? extensions.get(member.extension)?.target : undefined
    if (target !== undefined && ('ringGroup' in target || 'flow' in target || 'conference' in target)) {
      complaints.push(
        wrong(
          'nested-group',
          group,
          ['members', i],
          'a member of a group is a person or a phone, not another group, a flow or a conference',
        ),
      )
    }
    if (member.step !== undefined && group.strategy !== 'steps') {
      complaints.push(unwise('idle-setting', group, ['members', i, 'step'], `step has no meaning with strategy ${group.strategy}`))
    }
    return complaints
  })
}

/** Unanswered calls of a group do not come back to it through groups alone; flows have a rule of their own. */
function circle(group: RingGroup, byId: ReadonlyMap<string, RingGroup>, extensions: ReadonlyMap<string, Extension>): Complaint[] {
  const seen = new Set<string>()
  const ahead: Destination[] = [group.noAnswer, group.allBusy ?? group.noAnswer]
  for (const destination of ahead) {
    const target = 'extension' in destination ? extensions.get(destination.extension)?.target : destination
    if (target === undefined || !('ringGroup' in target) || seen.has(target.ringGroup)) continue
    seen.add(target.ringGroup)
    const next = byId.get(target.ringGroup)
    if (next !== undefined) ahead.push(next.noAnswer, next.allBusy ?? next.noAnswer)
  }
  if (!seen.has(group.id)) return []
  return [wrong('loop-without-input', group, ['noAnswer'], 'an unanswered call comes back to this group for ever')]
}

function phones(documents: readonly ConfigDocument[]): Complaint[] {
  const owners = new Set(ofKind(documents, 'device').map((d) => d.person))
  const phoneless = new Set(
    ofKind(documents, 'person')
      .map((person) => person.id)
      .filter((id) => !owners.has(id)),
  )
  return documents.flatMap((document) =>
    referencesOf(document)
      .filter(({ kind, id }) => kind === 'person' && phoneless.has(id))
      .map(({ id, path }) => unwise('no-phone', document, path, `person ${id} has no device that could ring`)),
  )
}

function prompts(documents: readonly ConfigDocument[]): Complaint[] {
  return ofKind(documents, 'prompt').flatMap((prompt) => {
    if (prompt.file !== undefined) return []
    if (prompt.sha256 !== undefined)
      return [wrong('silent-prompt', prompt, ['sha256'], 'sha256 says what a file holds, and no file is named')]
    return prompt.text === undefined ? [wrong('silent-prompt', prompt, [], 'a prompt needs a file or a text')] : []
  })
}

function outside(documents: readonly ConfigDocument[]): Complaint[] {
  if (ofKind(documents, 'outbound').length > 0) return []
  return documents.flatMap((document) =>
    numbersOutside(document, []).map((path) =>
      wrong('no-way-out', document, path, 'there is no document of kind outbound that says how outside numbers are reached'),
    ),
  )
}

/** Paths of the outside numbers that a document rings. */
function numbersOutside(value: unknown, path: readonly (string | number)[]): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return []
  const fields = new Map(Object.entries(value))
  const here: (readonly (string | number)[])[] = []
  if (typeof fields.get('external') === 'string') here.push([...path, 'external'])
  if (fields.get('type') === 'external') here.push([...path, 'number'])
  const inner = Array.isArray(value) ? value.map((v, i): [string | number, unknown] => [i, v]) : [...fields]
  return [...here, ...inner.flatMap(([name, v]) => numbersOutside(v, [...path, name]))]
}
