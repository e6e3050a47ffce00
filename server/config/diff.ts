import type { ConfigDocument } from '#contract/documents/document.ts'
import { documentKinds } from '#contract/documents/document.ts'
import { secretFields } from '#server/config-store/secrets.ts'
import { pointerTo } from '#server/config/read.ts'

/** One field that differs. `pointer` is a JSON pointer (RFC 6901); absent sides are undefined. Secrets are `********`. */
export interface FieldChange {
  pointer: string
  before?: unknown
  after?: unknown
}

export interface DocumentChange {
  kind: ConfigDocument['kind']
  id: string
  change: 'added' | 'removed' | 'changed'
  /** Of changed documents. */
  fields: FieldChange[]
}

/** From one set of documents to another, in the order of kinds, then ids. Order of documents and of fields means nothing; order in lists does. */
export function diff(before: readonly ConfigDocument[], after: readonly ConfigDocument[]): DocumentChange[] {
  const old = keyed(before)
  const now = keyed(after)
  const keys = [...new Set([...old.keys(), ...now.keys()])]
  return keys.flatMap((key) => changeOf(old.get(key), now.get(key))).sort(inOrder)
}

const keyed = (documents: readonly ConfigDocument[]) => new Map(documents.map((document) => [`${document.kind} ${document.id}`, document]))

function inOrder(a: DocumentChange, b: DocumentChange): number {
  return documentKinds.indexOf(a.kind) - documentKinds.indexOf(b.kind) || (a.id < b.id ? -1 : 1)
}

function changeOf(before: ConfigDocument | undefined, after: ConfigDocument | undefined): DocumentChange[] {
  const { kind, id } = after ?? before ?? {}
  if (kind === undefined || id === undefined) return []
  if (before === undefined) return [{ kind, id, change: 'added', fields: [] }]
  if (after === undefined) return [{ kind, id, change: 'removed', fields: [] }]
  const fields: FieldChange[] = []
  compare(before, after, [], fields)
  return fields.length === 0 ? [] : [{ kind, id, change: 'changed', fields }]
}

function compare(before: unknown, after: unknown, path: readonly (string | number)[], changes: FieldChange[]): void {
  if (Object.is(before, after)) return
  const secret = secretFields.has(String(path.at(-1)))
  if (!secret && isRecord(before) && isRecord(after))
    return compareEntries(new Map(Object.entries(before)), new Map(Object.entries(after)), path, changes)
  if (Array.isArray(before) && Array.isArray(after))
    return compareEntries(new Map(before.entries()), new Map(after.entries()), path, changes)
  if (secret && JSON.stringify(before) === JSON.stringify(after)) return
  const shown = (value: unknown) => (secret && value !== undefined ? '********' : value)
  changes.push({ pointer: pointerTo(path), before: shown(before), after: shown(after) })
}

function compareEntries<K extends string | number>(
  before: ReadonlyMap<K, unknown>,
  after: ReadonlyMap<K, unknown>,
  path: readonly (string | number)[],
  changes: FieldChange[],
): void {
  for (const key of new Set([...before.keys(), ...after.keys()])) compare(before.get(key), after.get(key), [...path, key], changes)
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A plan as people read it: one line per document, one per field. Empty when nothing changes. */
export function renderPlan(changes: readonly DocumentChange[]): string {
  const marks = { added: '+', removed: '-', changed: '~' } as const
  const lines = changes.flatMap(({ kind, id, change, fields }) => [
    `${marks[change]} ${kind} ${id}`,
    ...fields.map((field) => `    ${renderField(field)}`),
  ])
  const count = (change: DocumentChange['change']) => changes.filter((c) => c.change === change).length
  if (lines.length === 0) return ''
  return [...lines, `${count('added')} to add, ${count('changed')} to change, ${count('removed')} to remove`, ''].join('\n')
}

function renderField({ pointer, before, after }: FieldChange): string {
  if (before === undefined) return `+ ${pointer}: ${render(after)}`
  if (after === undefined) return `- ${pointer}: ${render(before)}`
  return `~ ${pointer}: ${render(before)} -> ${render(after)}`
}

function render(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= 100 ? text : `${text.slice(0, 97)}...`
}
