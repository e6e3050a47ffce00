import type { Shape } from '#server/config/shape.ts'
import type { Tree } from '#server/config/tree.ts'

/** What would have been right, for a person. */
export function expectation(shape: Shape): string {
  if (shape.description !== undefined) return shape.description
  if (shape.const !== undefined) return shape.const
  if (shape.enum !== undefined) return `one of ${shape.enum.join(', ')}`
  if (shape.anyOf !== undefined) return ofUnion(shape.anyOf.flatMap((branch) => branch.anyOf ?? [branch]))
  return words[shape.type ?? ''] ?? 'something else'
}

const words: Record<string, string> = {
  object: 'named fields',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
}

/** Alternatives that are objects are told by the field that tells them apart. */
function ofUnion(branches: readonly Shape[]): string {
  const types = branches.flatMap((branch) => constantsOf(branch).map(([, value]) => value))
  if (types.length === branches.length) {
    const [name = 'type'] = branches.flatMap((branch) => constantsOf(branch).map(([field]) => field))
    return `${name}: one of ${types.join(', ')}`
  }
  const keys = branches.flatMap((branch) => branch.required?.slice(0, 1) ?? [])
  return keys.length === branches.length ? `exactly one of ${keys.join(', ')}` : branches.map(expectation).join(', or ')
}

/** The fields whose value is fixed: they tell the alternatives of a union apart. */
export function constantsOf(shape: Shape): [field: string, value: string][] {
  return Object.entries(shape.properties ?? {}).flatMap(([field, inner]): [string, string][] =>
    inner.const === undefined ? [] : [[field, inner.const]],
  )
}

/** What is there, shortened. */
export function foundIn(tree: Tree): string {
  if (tree.is === 'map')
    return tree.entries.length === 0 ? 'no fields' : `fields ${shorten(tree.entries.map((entry) => entry.key).join(', '))}`
  if (tree.is === 'list') return `a list of ${tree.items.length}`
  if (tree.value === null) return 'nothing'
  return typeof tree.value === 'string' ? `"${shorten(tree.value)}"` : shorten(tree.written ?? String(tree.value))
}

/** At most 60 characters. */
export function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}
