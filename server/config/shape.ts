import { distance } from '#server/config/distance.ts'
import type { Tree, TreeEntry } from '#server/config/tree.ts'

/**
 * The part of JSON Schema that document kinds are written in. Written out here so that each mistake is told once, at its place, with what was
 * expected: a union names its alternatives instead of failing each of them.
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
  const?: unknown
  enum?: readonly unknown[]
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

type Path = readonly (string | number)[]

/** Reads a tree as `shape`; the value is sound exactly if no problem was added. Unquoted scalars are text where text is expected. */
export function readShape(shape: Shape, tree: Tree, problems: ShapeProblem[], path: Path = []): unknown {
  if (shape.anyOf !== undefined) return readUnion(shape, shape.anyOf, tree, problems, path)
  if (shape.const !== undefined) return readChoice(shape, [shape.const], tree, problems, path)
  if (shape.enum !== undefined) return readChoice(shape, shape.enum, tree, problems, path)
  if (shape.type === 'object') return tree.is === 'map' ? readMap(shape, tree, problems, path) : wrong(shape, tree, problems, path)
  if (shape.type === 'array') return tree.is === 'list' ? readList(shape, tree, problems, path) : wrong(shape, tree, problems, path)
  return readScalar(shape, tree, problems, path)
}

function readMap(shape: Shape, tree: Extract<Tree, { is: 'map' }>, problems: ShapeProblem[], path: Path): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  const seen = new Set<string>()
  for (const entry of tree.entries) {
    const inner = shapeOfField(shape, entry.key)
    const here = [...path, entry.key]
    if (inner === undefined) problems.push(unknownField(shape, entry, here))
    else if (seen.has(entry.key)) problems.push({ ...doubled, at: entry.at, path: here, message: `${entry.key} is there twice` })
    else value[entry.key] = readShape(inner, entry.value, problems, here)
    seen.add(entry.key)
  }
  for (const name of shape.required ?? []) {
    if (!seen.has(name)) problems.push(missing(shape, name, tree, path))
  }
  if (seen.size > (shape.maxProperties ?? Infinity)) wrong({ description: `at most ${shape.maxProperties} entries` }, tree, problems, path)
  return value
}

const doubled = { rule: 'doubled-field' as const, expected: 'each field once' }

function shapeOfField(shape: Shape, key: string): Shape | undefined {
  if (shape.properties !== undefined && Object.hasOwn(shape.properties, key)) return shape.properties[key]
  for (const [pattern, inner] of Object.entries(shape.patternProperties ?? {})) if (regExp(pattern).test(key)) return inner
  return undefined
}

function unknownField(shape: Shape, entry: TreeEntry, path: Path): ShapeProblem {
  const known = Object.keys(shape.properties ?? {})
  const near = known.find((name) => distance(name, entry.key) <= 2)
  const [pattern] = Object.keys(shape.patternProperties ?? {})
  const expected = pattern === undefined ? known.join(', ') : `names that match ${pattern}`
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return { at: entry.at, path, rule: 'unknown-field', message: `no field ${shorten(entry.key)} here${hint}`, expected, found: shorten(entry.key) }
}

function missing(shape: Shape, name: string, tree: Tree, path: Path): ShapeProblem {
  const expected = expectation(shape.properties?.[name] ?? {})
  return { at: tree.at, path: [...path, name], rule: 'missing-field', message: `${name} is missing`, expected }
}

function readList(shape: Shape, tree: Extract<Tree, { is: 'list' }>, problems: ShapeProblem[], path: Path): unknown[] {
  const { minItems = 0, maxItems = Infinity } = shape
  const many = tree.items.length
  if (many < minItems || many > maxItems) {
    const expected = maxItems === Infinity ? `at least ${minItems} entries` : `${minItems} to ${maxItems} entries`
    problems.push({ at: tree.at, path, rule: 'wrong-value', message: `expected ${expected}, found ${many}`, expected, found: `${many} entries` })
    return []
  }
  const items = tree.items.map((item, i) => readShape(shape.items ?? {}, item, problems, [...path, i]))
  if (shape.uniqueItems === true && new Set(items).size < items.length) wrong({ description: 'each entry once' }, tree, problems, path)
  return items
}

function readChoice(shape: Shape, choices: readonly unknown[], tree: Tree, problems: ShapeProblem[], path: Path): unknown {
  for (const choice of choices) {
    if (tree.is === 'scalar' && (tree.value === choice || (typeof choice === 'string' && tree.written === choice))) return choice
  }
  return wrong({ description: expectation(shape) }, tree, problems, path)
}

function readScalar(shape: Shape, tree: Tree, problems: ShapeProblem[], path: Path): unknown {
  if (tree.is !== 'scalar') return wrong(shape, tree, problems, path)
  const value = shape.type === 'string' ? textOf(tree) : tree.value
  return isScalarOf(shape, value) ? value : wrong(shape, tree, problems, path)
}

/** An unquoted number or word is the text that was typed; nothing typed is no text. */
const textOf = (tree: Extract<Tree, { is: 'scalar' }>) => (tree.value === null ? null : (tree.written ?? tree.value))

function isScalarOf(shape: Shape, value: unknown): boolean {
  if (shape.type === 'string') return typeof value === 'string' && isTextOf(shape, value)
  if (shape.type === 'boolean') return typeof value === 'boolean'
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  if (shape.type === 'integer' && !Number.isInteger(value)) return false
  return value >= (shape.minimum ?? -Infinity) && value <= (shape.maximum ?? Infinity)
}

/** Lengths count characters (code points), as JSON Schema does. */
function isTextOf(shape: Shape, text: string): boolean {
  if (text.length > 20_000) return false
  const length = shape.minLength === undefined && shape.maxLength === undefined ? 0 : [...text].length
  if (length < (shape.minLength ?? 0) || length > (shape.maxLength ?? Infinity)) return false
  return shape.pattern === undefined || regExp(shape.pattern).test(text)
}

function readUnion(shape: Shape, branches: readonly Shape[], tree: Tree, problems: ShapeProblem[], path: Path): unknown {
  if (tree.is === 'map') {
    const branch = branchFor(branches, tree)
    if (branch !== undefined) return readShape(branch, tree, problems, path)
  } else {
    for (const branch of branches) {
      const tried: ShapeProblem[] = []
      const value = readShape(branch, tree, tried, path)
      if (tried.length === 0) return value
    }
  }
  return wrong({ description: expectation(shape) }, tree, problems, path)
}

/** The alternative that a map was meant to be: the one its `kind` or `type` names, else the one whose first required field it has. */
function branchFor(branches: readonly Shape[], tree: Extract<Tree, { is: 'map' }>): Shape | undefined {
  const objects = branches.flatMap((branch) => (branch.anyOf === undefined ? [branch] : branch.anyOf)).filter((branch) => branch.type === 'object')
  const has = (name: string) => tree.entries.find((entry) => entry.key === name)?.value
  const named = objects.filter((branch) => Object.entries(branch.properties ?? {}).some(([name, inner]) => inner.const !== undefined && isConst(has(name), inner.const)))
  if (named.length > 0) return named[0]
  if (objects.some((branch) => Object.values(branch.properties ?? {}).some((inner) => inner.const !== undefined))) return undefined
  return objects.find((branch) => branch.required?.[0] !== undefined && has(branch.required[0]) !== undefined)
}

const isConst = (tree: Tree | undefined, value: unknown) => tree?.is === 'scalar' && tree.value === value

function wrong(shape: Shape, tree: Tree, problems: ShapeProblem[], path: Path): undefined {
  const expected = expectation(shape)
  const found = shape['x-secret'] === true ? undefined : foundIn(tree)
  const problem: ShapeProblem = { at: tree.at, path, rule: 'wrong-value', message: `expected ${expected}${found === undefined ? '' : `, found ${found}`}`, expected }
  problems.push(found === undefined ? problem : { ...problem, found })
}

function expectation(shape: Shape): string {
  if (shape.description !== undefined) return shape.description
  if (shape.const !== undefined) return String(shape.const)
  if (shape.enum !== undefined) return `one of ${shape.enum.join(', ')}`
  if (shape.anyOf !== undefined) return expectationOfUnion(shape.anyOf)
  const words: Record<string, string> = { object: 'named fields', array: 'a list', string: 'text', boolean: 'true or false', integer: 'a whole number', number: 'a number' }
  return words[shape.type ?? ''] ?? 'something else'
}

/** Alternatives that are objects are told by the field that tells them apart. */
function expectationOfUnion(branches: readonly Shape[]): string {
  const all = branches.flatMap((branch) => branch.anyOf ?? [branch])
  const types = all.flatMap((branch) => Object.values(branch.properties ?? {}).flatMap((inner) => (inner.const === undefined ? [] : [String(inner.const)])))
  if (types.length === all.length) {
    const name = Object.entries(all[0]?.properties ?? {}).find(([, inner]) => inner.const !== undefined)?.[0] ?? 'type'
    return `${name}: one of ${types.join(', ')}`
  }
  const keys = all.flatMap((branch) => branch.required?.slice(0, 1) ?? [])
  return keys.length === all.length ? `exactly one of ${keys.join(', ')}` : all.map(expectation).join(', or ')
}

function foundIn(tree: Tree): string {
  if (tree.is === 'map') return tree.entries.length === 0 ? 'no fields' : `fields ${shorten(tree.entries.map((entry) => entry.key).join(', '))}`
  if (tree.is === 'list') return `a list of ${tree.items.length}`
  if (tree.value === null) return 'nothing'
  return typeof tree.value === 'string' ? `"${shorten(tree.value)}"` : shorten(tree.written ?? String(tree.value))
}

const shorten = (text: string) => (text.length <= 60 ? text : `${text.slice(0, 57)}...`)

const regExps = new Map<string, RegExp>()

/** Patterns come from our own schemas only, so there are few. */
function regExp(pattern: string): RegExp {
  let known = regExps.get(pattern)
  if (known === undefined) regExps.set(pattern, (known = new RegExp(pattern, 'u')))
  return known
}
