import { Document } from 'yaml'
import { documentKinds, type ConfigDocument } from '#contract/documents/document.ts'

/** Documents as YAML, apart by `---`, in the order of kinds, then ids. What `readDocuments` reads back is the same set. */
export function writeYaml(documents: readonly ConfigDocument[]): string {
  return sorted(documents).map(yamlOf).join('---\n')
}

/** As one JSON array, in the same order. */
export function writeJson(documents: readonly ConfigDocument[]): string {
  return `${JSON.stringify(sorted(documents), null, 2)}\n`
}

function sorted(documents: readonly ConfigDocument[]): ConfigDocument[] {
  return [...documents].sort((a, b) => documentKinds.indexOf(a.kind) - documentKinds.indexOf(b.kind) || (a.id < b.id ? -1 : 1))
}

function yamlOf(document: ConfigDocument): string {
  const { kind, id, ...rest } = document
  const yaml = new Document({ kind, id, ...rest }, { aliasDuplicateObjects: false })
  return yaml.toString({ lineWidth: 0, singleQuote: true })
}
