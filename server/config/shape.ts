import { distance } from '#server/config/distance.ts'
import { constantsOf, expectation, foundIn, shorten } from '#server/config/expectation.ts'
import type { Tree, TreeEntry } from '#server/config/tree.ts'

/**
 * The part of JSON Schema that document kinds are written in. Read here, and not by a general validator, so that each mistake is told once, at
 * its place, with what was expected: a union names its alternatives instead of failing each of them.
 */
export interface Shape {
  type?: string
  description?: string
  properties?: Record<string, Shape>
  required?: readonly string[]
  patternProperties?: Record<string, Shape>
  maxProperties?: number
  items?: Shape
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  const?: string
  enum?: readonly string[]
  anyOf?: readonly Shape[]
  'x-ref'?: string
  'x-secret'?: boolean
}

export interface ShapeProblem {
  at: number
  path: readonly (string | number)[]
  rule: 'unknown-field' | 'missing-field' | 'doubled-field' | 'wrong-value'
  message: string
  expected: string
  found?: string
}

/** A value being read: the tree, where it stands, and where mistakes go. */
interface Here<T extends Tree = Tree> {
  tree: T
  path: readonly (string | number)[]
  problems: ShapeProblem[]
}
type MapTree = Extract<Tree, { is: 'map' }>
type ListTree = Extract<Tree, { is: 'list' }>
type ScalarTree = Extract<Tree, { is: 'scalar' }>

/** Reads a tree as `shape`; the value is sound exactly if no problem was added. Unquoted scalars are text where text is expected. */
export function readShape(shape: Shape, tree: Tree, problems: ShapeProblem[]): unknown {
  return read(shape, { tree, problems, path: [] })
}

function read(shape: Shape, here: Here): unknown {
  const { tree } = here
  if (shape.anyOf !== undefined) return readUnion(shape, shape.anyOf, here)
  if (shape.type === 'object' && tree.is === 'map') return readMap(shape, { ...here, tree })
  if (shape.type === 'array' && tree.is === 'list') return readList(shape, { ...here, tree })
  if (tree.is === 'scalar') {
    const value = scalarOf(shape, tree)
    if (value !== undefined) return value
  }
  return wrong(shape, here)
}

function readMap(shape: Shape, here: Here<MapTree>): Record<string, unknown> {
  const { tree, path, problems } = here
  const value: Record<string, unknown> = {}
  const seen = new Set<string>()
  for (const entry of tree.entries) {
    const inner = shapeOfField(shape, entry.key)
    const inside: Here = { tree: entry.value, path: [...path, entry.key], problems }
    if (inner === undefined) problems.push(unknownField(shape, entry, inside.path))
    else if (seen.has(entry.key)) problems.push({ ...doubled, at: entry.at, path: inside.path, message: `${entry.key} is there twice` })
    else value[entry.key] = read(inner, inside)
    seen.add(entry.key)
  }
  for (const name of shape.required ?? []) {
    if (!seen.has(name)) problems.push(missing(shape, name, here))
  }
  if (seen.size > (shape.maxProperties ?? Infinity)) wrong({ description: `at most ${shape.maxProperties} entries` }, here)
  return value
}

const doubled = { rule: 'doubled-field' as const, expected: 'each field once' }

function shapeOfField(shape: Shape, key: string): Shape | undefined {
  if (shape.properties !== undefined && Object.hasOwn(shape.properties, key)) return shape.properties[key]
  for (const [pattern, inner] of Object.entries(shape.patternProperties ?? {})) if (regExp(pattern).test(key)) return inner
  return undefined
}

function unknownField(shape: Shape, entry: TreeEntry, path: Here['path']): ShapeProblem {
  const known = Object.keys(shape.properties ?? {})
  const near = known.find((name) => distance(name, entry.key) <= 2)
  const [pattern] = Object.keys(shape.patternProperties ?? {})
  const expected = pattern === undefined ? known.join(', ') : `names that match ${pattern}`
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return {
    at: entry.at,
    path,
    rule: 'unknown-field',
    message: `no field ${shorten(entry.key)} here${hint}`,
    expected,
    found: shorten(entry.key),
  }
}

function missing(shape: Shape, name: string, here: Here): ShapeProblem {
  const expected = expectation(shape.properties?.[name] ?? {})
  return { at: here.tree.at, path: [...here.path, name], rule: 'missing-field', message: `${name} is missing`, expected }
}

function readList(shape: Shape, here: Here<ListTree>): unknown[] {
  const { tree, path, problems } = here
  const { minItems = 0, maxItems = Infinity } = shape
  const many = tree.items.length
  if (many < minItems || many > maxItems) {
    const expected = maxItems === Infinity ? `at least ${minItems} entries` : `${minItems} to ${maxItems} entries`
    problems.push({
      at: tree.at,
      path,
      rule: 'wrong-value',
      message: `expected ${expected}, found ${many}`,
      expected,
      found: `${many} entries`,
    })
    return []
  }
  const items = tree.items.map((item, i) => read(shape.items ?? {}, { tree: item, path: [...path, i], problems }))
  if (shape.uniqueItems === true && new Set(items).size < items.length) wrong({ description: 'each entry once' }, here)
  return items
}

/** The value of a scalar that suits the shape; undefined when it does not. An unquoted number or word is the text that was typed. */
function scalarOf(shape: Shape, tree: ScalarTree): unknown {
  const text = tree.value === null ? null : (tree.written ?? tree.value)
  if (shape.const !== undefined) return text === shape.const ? text : undefined
  if (shape.enum !== undefined) return shape.enum.find((choice) => choice === text)
  if (shape.type === 'string') return typeof text === 'string' && isTextOf(shape, text) ? text : undefined
  if (shape.type === 'boolean') return typeof tree.value === 'boolean' ? tree.value : undefined
  return typeof tree.value === 'number' && isNumberOf(shape, tree.value) ? tree.value : undefined
}

function isNumberOf(shape: Shape, value: number): boolean {
  if (shape.type !== 'integer' && shape.type !== 'number') return false
  if (!Number.isFinite(value) || (shape.type === 'integer' && !Number.isInteger(value))) return false
  return value >= (shape.minimum ?? -Infinity) && value <= (shape.maximum ?? Infinity)
}

/** Lengths count characters (code points), as JSON Schema does. */
function isTextOf(shape: Shape, text: string): boolean {
  if (text.length > longestText) return false
  if (shape.minLength !== undefined || shape.maxLength !== undefined) {
    const length = Array.from(text).length
    if (length < (shape.minLength ?? 0) || length > (shape.maxLength ?? Infinity)) return false
  }
  return shape.pattern === undefined || regExp(shape.pattern).test(text)
}

/** No field of a document holds more, so patterns are never tried on more. */
const longestText = 20_000

function readUnion(shape: Shape, branches: readonly Shape[], here: Here): unknown {
  const { tree, path } = here
  if (tree.is === 'map') {
    const branch = branchFor(branches, tree)
    if (branch !== undefined) return read(branch, here)
  } else {
    for (const branch of branches) {
      const tried: ShapeProblem[] = []
      const value = read(branch, { tree, path, problems: tried })
      if (tried.length === 0) return value
    }
  }
  return wrong(shape, here)
}

/** The alternative that a map was meant to be: the only one for maps, the one its `kind` or `type` names, else the one whose first required field it has. */
function branchFor(branches: readonly Shape[], tree: MapTree): Shape | undefined {
  const objects = branches.flatMap((branch) => branch.anyOf ?? [branch]).filter((branch) => branch.type === 'object')
  if (objects.length === 1) return objects[0]
  const has = (name: string) => tree.entries.find((entry) => entry.key === name)?.value
  const isNamed = ([field, value]: [string, string]) => {
    const there = has(field)
    return there?.is === 'scalar' && there.value === value
  }
  if (objects.some((branch) => constantsOf(branch).length > 0)) return objects.find((branch) => constantsOf(branch).some(isNamed))
  return objects.find((branch) => branch.required?.[0] !== undefined && has(branch.required[0]) !== undefined)
}

function wrong(shape: Shape, { tree, path, problems }: Here): undefined {
  const expected = expectation(shape)
  const problem: ShapeProblem = { at: tree.at, path, rule: 'wrong-value', message: `expected ${expected}`, expected }
  if (shape['x-secret'] === true) return void problems.push(problem)
  const found = foundIn(tree)
  problems.push({ ...problem, message: `expected ${expected}, found ${found}`, found })
}

const regExps = new Map<string, RegExp>()

/** Patterns come from our own schemas only, so there are few. */
function regExp(pattern: string): RegExp {
  let known = regExps.get(pattern)
  if (known === undefined) {
    known = new RegExp(pattern, 'u')
    regExps.set(pattern, known)
  }
  return known
}
