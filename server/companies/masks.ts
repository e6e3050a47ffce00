import type { ConfigProblem } from '#contract/errors.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { type Locate, pointerTo } from '#server/config/read.ts'
import { MASK } from '#server/config-store/index.ts'
import { secretFields } from '#server/config-store/secrets.ts'

type Path = readonly (string | number)[]

/**
 * Masked secrets that stand for nothing: exported files keep a password where the configuration has one, but cannot bring one to a new
 * document or to another system. `before`: the current documents, masked.
 */
export function masksOfNothing(documents: readonly ConfigDocument[], before: readonly ConfigDocument[], locate: Locate): ConfigProblem[] {
  const had = new Map(before.map((document) => [`${document.kind}/${document.id}`, new Set(masksIn(document, []).map(pointerTo))]))
  return documents.flatMap((document) =>
    masksIn(document, [])
      .filter((path) => had.get(`${document.kind}/${document.id}`)?.has(pointerTo(path)) !== true)
      .map(
        (path): ConfigProblem => ({
          severity: 'error',
          rule: 'masked-secret',
          message: 'the secret is masked, and the current configuration has none here to keep',
          ...{ kind: document.kind, id: document.id, pointer: pointerTo(path), expected: 'the secret itself' },
          ...locate(document, path),
        }),
      ),
  )
}

function masksIn(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key]
    return inner === MASK && secretFields.has(key) ? [at] : masksIn(inner, at)
  })
}
