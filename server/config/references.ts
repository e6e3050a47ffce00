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

type Path = Reference['path']

function visit(shape: Shape, value: unknown, path: Path, found: Reference[]): void {
  const branch = shape.anyOf?.find((one) => suits(one, value))
  if (branch !== undefined) return visit(branch, value, path, found)
  const kind = shape['x-ref']
  if (typeof value === 'string' && kind !== undefined) found.push({ kind, id: value, path })
  for (const [name, inner] of childrenOf(value)) visit(shapeOfChild(shape, name), inner, [...path, name], found)
}

function childrenOf(value: unknown): (readonly [name: string | number, value: unknown])[] {
  if (Array.isArray(value)) return [...value.entries()]
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}

function shapeOfChild(shape: Shape, name: string | number): Shape {
  if (typeof name === 'number') return shape.items ?? {}
  const own = shape.properties !== undefined && Object.hasOwn(shape.properties, name) ? shape.properties[name] : undefined
  return own ?? Object.values(shape.patternProperties ?? {})[0] ?? {}
}

/** Whether a sound value is of this alternative: told by its constants and required fields. */
function suits(shape: Shape, value: unknown): boolean {
  if (shape.anyOf !== undefined) return shape.anyOf.some((branch) => suits(branch, value))
  if (shape.type !== 'object') return typeof value !== 'object'
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map(Object.entries(value))
  const constant = Object.entries(shape.properties ?? {}).every(
    ([name, inner]) => inner.const === undefined || fields.get(name) === inner.const,
  )
  return constant && (shape.required ?? []).every((name) => fields.has(name))
}
