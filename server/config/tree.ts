import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type ParsedNode } from 'yaml'

/**
 * A value as it was written, before anybody said what it should be: what YAML and JSON have in common, with places. `at` is an offset into
 * the text, or -1 where there is none (a value that came through the API).
 */
export type Tree =
  | { is: 'map'; at: number; entries: TreeEntry[] }
  | { is: 'list'; at: number; items: Tree[] }
  /** `written`: the characters of an unquoted scalar, so that +7495… or 0100 stays what it was wherever text is expected. */
  | { is: 'scalar'; at: number; value: string | number | boolean | null; written: string | null }

export interface TreeEntry {
  key: string
  at: number
  value: Tree
}

/** Why something could not become a tree. */
export interface TreeProblem {
  at: number
  rule: 'too-large' | 'too-deep' | 'bad-yaml'
  message: string
}

/** Bounds on one document, however often its aliases repeat something. */
const maxNodes = 200_000
const maxDepth = 50

interface Walk {
  /** Where the document's part begins in the text. */
  base: number
  /** What each anchor stands for at this point of the text. */
  anchors: Map<string, ParsedNode>
  /** Inside what an alias repeats, where anchors are not set anew. */
  repeating: number
  nodes: number
  problem: TreeProblem | null
}

/** The tree of a parsed YAML document whose part of the text begins at `base`; aliases are followed, within bounds. */
export function treeOfYaml(document: Document.Parsed, base: number): { tree: Tree } | { problem: TreeProblem } {
  const walk: Walk = { base, anchors: new Map(), repeating: 0, nodes: 0, problem: null }
  const tree = grow(walk, document.contents, 0)
  return walk.problem === null ? { tree } : { problem: walk.problem }
}

const nothing = (at: number): Tree => ({ is: 'scalar', at, value: null, written: '' })

function grow(walk: Walk, node: ParsedNode | null, depth: number): Tree {
  if (node === null) return nothing(walk.base)
  const at = walk.base + node.range[0]
  if (walk.problem !== null) return nothing(at)
  if (++walk.nodes > maxNodes)
    return refuse(walk, at, 'too-large', `more than ${maxNodes} values in one document, counting what aliases repeat`)
  if (depth > maxDepth) return refuse(walk, at, 'too-deep', `nested deeper than ${maxDepth} levels`)
  if (isAlias(node)) return repeat(walk, node, depth)
  if (node.anchor !== undefined && walk.repeating === 0) walk.anchors.set(node.anchor, node)
  if (isMap(node)) return { is: 'map', at, entries: node.items.map((pair) => entry(walk, pair.key, pair.value, depth)) }
  if (isSeq(node)) return { is: 'list', at, items: node.items.map((item) => grow(walk, item, depth + 1)) }
  return scalar(at, node.value, node.type === 'PLAIN' ? node.source : null)
}

function repeat(walk: Walk, alias: Alias.Parsed, depth: number): Tree {
  const target = walk.anchors.get(alias.source)
  if (target === undefined) return refuse(walk, walk.base + alias.range[0], 'bad-yaml', `*${alias.source} stands for nothing`)
  walk.repeating++
  const tree = grow(walk, target, depth + 1)
  walk.repeating--
  return tree
}

function entry(walk: Walk, key: ParsedNode, value: ParsedNode | null, depth: number): TreeEntry {
  const at = walk.base + key.range[0]
  const grown = grow(walk, value, depth + 1)
  if (!isScalar(key)) {
    refuse(walk, at, 'bad-yaml', 'the name of a field must be plain text')
    return { key: '', at, value: grown }
  }
  return { key: key.type === 'PLAIN' ? (key.source ?? String(key.value)) : String(key.value), at, value: grown }
}

function scalar(at: number, value: unknown, written: string | null): Tree {
  const kept = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
  return { is: 'scalar', at, value: kept, written }
}

function refuse(walk: Walk, at: number, rule: TreeProblem['rule'], message: string): Tree {
  walk.problem ??= { at, rule, message }
  return nothing(at)
}

/** The tree of a value that came as JSON. What JSON cannot hold becomes null. Too deep a value is cut off with a null. */
export function treeOfValue(value: unknown, depth = 0): Tree {
  if (depth > maxDepth) return nothing(-1)
  if (Array.isArray(value)) return { is: 'list', at: -1, items: value.map((item) => treeOfValue(item, depth + 1)) }
  if (typeof value !== 'object' || value === null) return scalar(-1, value, null)
  const entries = Object.entries(value).map(([key, inner]) => ({ key, at: -1, value: treeOfValue(inner, depth + 1) }))
  return { is: 'map', at: -1, entries }
}

/** The deepest part of the tree on a path, and where it is: a field's value, or the nearest thing around it. */
export function placeIn(tree: Tree, path: readonly (string | number)[]): number {
  let here = tree
  let at = tree.at
  for (const part of path) {
    const next = here.is === 'map' ? here.entries.find((e) => e.key === part) : undefined
    const value = here.is === 'list' && typeof part === 'number' ? here.items[part] : next?.value
    if (value === undefined) return at
    here = value
    at = value.is === 'scalar' ? value.at : (next?.at ?? value.at)
  }
  return at
}
