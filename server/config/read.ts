import type { ConfigProblem } from '#contract/errors.ts'
import { documentKinds, documentSchemas, type ConfigDocument, type DocumentKind } from '#contract/documents/document.ts'
import { Lines } from '#server/config/lines.ts'
import { readShape, type Shape, type ShapeProblem } from '#server/config/shape.ts'
import { placeIn, treeOfValue, treeOfYaml, type Tree } from '#server/config/tree.ts'
import { yamlParts, type YamlPart } from '#server/config/yaml-parts.ts'

/** A file of documents: YAML, several apart by `---`, or JSON (which is YAML). `name` is only for messages. */
export interface DocumentFile {
  name: string
  text: string
}

export interface ReadDocuments {
  /** The documents without any problem of their own, in the order written. */
  documents: ConfigDocument[]
  problems: ConfigProblem[]
  /** Where a document, or a field in it, is written. */
  locate: Locate
}

export type Locate = (document: ConfigDocument, path: readonly (string | number)[]) => Pick<ConfigProblem, 'file' | 'line' | 'column'>

/** No company's configuration is larger; what is, is not read. */
export const limits = { fileBytes: 2_000_000, documents: 20_000, problems: 500 } as const

/** Locates nothing: for documents that came through the API. */
export const nowhere: Locate = () => ({})

/**
 * Reads documents from files. Total: any text gives documents or problems with their file, line and column, in bounded time and memory;
 * nothing is thrown. What the documents mean together is for `validateCompany`.
 */
export function readDocuments(files: readonly DocumentFile[]): ReadDocuments {
  const reading = new Reading()
  for (const file of files) reading.file(file)
  return { documents: reading.documents, problems: reading.problems, locate: (document, path) => reading.locate(document, path) }
}

/** Reads documents that came as JSON values; as `readDocuments`, without places. */
export function readValues(values: readonly unknown[]): Omit<ReadDocuments, 'locate'> {
  const reading = new Reading()
  for (const value of values.slice(0, limits.documents)) reading.tree(treeOfValue(value), null)
  return { documents: reading.documents, problems: reading.problems }
}

interface Source {
  file: string
  lines: Lines
}

class Reading {
  readonly documents: ConfigDocument[] = []
  readonly problems: ConfigProblem[] = []
  readonly #written = new WeakMap<ConfigDocument, { source: Source; tree: Tree }>()

  file({ name, text }: DocumentFile): void {
    const source = { file: name, lines: new Lines(text) }
    if (text.length > limits.fileBytes)
      return this.#refuse(source, 0, { rule: 'too-large', message: `larger than ${limits.fileBytes} characters` })
    let parts = 0
    for (const part of yamlParts(text)) {
      if (++parts > limits.documents)
        return this.#refuse(source, part.at, { rule: 'too-large', message: `more than ${limits.documents} documents` })
      if ('document' in part) this.#yaml(part, source)
      else this.#refuse(source, part.at, { rule: part.rule, message: part.message })
      if (this.problems.length >= limits.problems) return
    }
  }

  #yaml({ at: base, document }: YamlPart, source: Source): void {
    const wrong = [...document.errors, ...document.warnings]
    for (const error of wrong.slice(0, 20))
      this.#refuse(source, base + error.pos[0], { rule: 'bad-yaml', message: firstLine(error.message) })
    if (wrong.length > 0 || document.contents === null) return
    const grown = treeOfYaml(document, base)
    if ('problem' in grown) {
      const { at, rule, message } = grown.problem
      return this.#refuse(source, at, { rule, message })
    }
    if (grown.tree.is === 'scalar' && grown.tree.value === null) return
    this.tree(grown.tree, source)
  }

  /** One document. Its kind decides its shape. */
  tree(tree: Tree, source: Source | null): void {
    if (this.documents.length >= limits.documents)
      return this.#refuse(source, tree.at, { rule: 'too-large', message: `more than ${limits.documents} documents` })
    const kind = textIn(tree, 'kind')
    if (!isKind(kind)) {
      const message = kind === undefined ? 'expected a document with its kind' : `no kind ${kind.slice(0, 40)}`
      const expected = `kind: one of ${documentKinds.join(', ')}`
      return this.#refuse(source, placeIn(tree, ['kind']), { rule: 'unknown-kind', message, expected })
    }
    const found: ShapeProblem[] = []
    const value = readShape(documentSchemas[kind] as Shape, tree, found)
    const id = textIn(tree, 'id')
    for (const problem of found)
      this.#add({ ...described(problem), kind, ...(id !== undefined && { id: id.slice(0, 40) }), ...placeOf(source, problem.at) })
    if (found.length > 0) return
    const document = value as ConfigDocument
    this.documents.push(document)
    if (source !== null) this.#written.set(document, { source, tree })
  }

  locate(document: ConfigDocument, path: readonly (string | number)[]): Pick<ConfigProblem, 'file' | 'line' | 'column'> {
    const written = this.#written.get(document)
    return written === undefined ? {} : placeOf(written.source, placeIn(written.tree, path))
  }

  #refuse(source: Source | null, at: number, refusal: Pick<ConfigProblem, 'rule' | 'message' | 'expected'>): void {
    this.#add({ severity: 'error', ...refusal, ...placeOf(source, at) })
  }

  #add(problem: ConfigProblem): void {
    if (this.problems.length < limits.problems) this.problems.push(problem)
  }
}

function placeOf(source: Source | null, at: number): Pick<ConfigProblem, 'file' | 'line' | 'column'> {
  if (source === null || at < 0) return {}
  return { file: source.file, ...source.lines.place(at) }
}

function described(problem: ShapeProblem): ConfigProblem {
  const { rule, message, expected, found, path } = problem
  return { severity: 'error', rule, message, pointer: pointerTo(path), expected, ...(found !== undefined && { found }) }
}

/** RFC 6901. */
export function pointerTo(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function textIn(tree: Tree, field: string): string | undefined {
  const value = tree.is === 'map' ? tree.entries.find((entry) => entry.key === field)?.value : undefined
  return value?.is === 'scalar' && value.value !== null ? (value.written ?? String(value.value)) : undefined
}

const isKind = (text: string | undefined): text is DocumentKind => text !== undefined && Object.hasOwn(documentSchemas, text)

const firstLine = (text: string) => text.split('\n', 1)[0] ?? ''
