import { documentSchemas, type ConfigDocument } from '#contract/documents/document.ts'
import type { Shape } from '#server/config/shape.ts'

/** A place in a document that names another document. */
export interface Reference {
  kind: string
  id: string
  path: readonly (string | number)[]
}

/** Every reference in a document, found by its schema. */
export function referencesOf(document: ConfigDocument): Reference[] {
  const found: Reference[] = []
  visit(documentSchemas[document.kind] as Shape, document, [], found)
  return found
}

function visit(shape: Shape, value: unknown, path: readonly (string | number)[], found: Reference[]): void {
  for (const branch of shape.anyOf ?? []) if (suits(branch, value)) return visit(branch, value, path, found)
  const kind = shape['x-ref']
  if (typeof value === 'string') {
    if (kind !== undefined) found.push({ kind, id: value, path })
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(shape.items ?? {}, item, [...path, i], found)
  } else if (typeof value === 'object' && value !== null) {
    const [entries] = Object.values(shape.patternProperties ?? {})
    for (const [name, inner] of Object.entries(value)) visit(shape.properties?.[name] ?? entries ?? {}, inner, [...path, name], found)
  }
}

/** Whether a sound value is of this alternative: told by its constants and required fields. */
function suits(shape: Shape, value: unknown): boolean {
  if (shape.anyOf !== undefined) return shape.anyOf.some((branch) => suits(branch, value))
  if (shape.type !== 'object') return typeof value !== 'object'
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map(Object.entries(value))
  const constant = Object.entries(shape.properties ?? {}).every(([name, inner]) => inner.const === undefined || fields.get(name) === inner.const)
  return constant && (shape.required ?? []).every((name) => fields.has(name))
}
