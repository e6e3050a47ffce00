import { randomBytes } from 'node:crypto'
import { MASK, UnknownMaskError, type ConfigDocument, type SecretReference } from '#server/config-store/face.ts'

/** Which fields of documents hold secrets, by field name at any depth. */
export type SecretFields = ReadonlySet<string>

/** Fields that hold secrets in every kind of document. */
export const secretFields: SecretFields = new Set(['password', 'secret', 'token', 'apiKey', 'pin', 'moderatorPin', 'privateKey'])

/** Whether a value stands for a secret. */
export function isReference(value: unknown): value is SecretReference {
  return (
    typeof value === 'object' && value !== null && Object.keys(value).length === 1 && 'secret' in value && typeof value.secret === 'string'
  )
}

/**
 * Takes the secrets out of documents: new texts get a reference and are put into `fresh` under it; `MASK` becomes the reference that
 * stood at the same place of the same document in `before` (`UnknownMaskError` if none did), and a text that has not changed keeps its
 * reference.
 */
export function takeSecrets(
  documents: readonly ConfigDocument[],
  before: readonly ConfigDocument[],
  vault: { fields: SecretFields; reveal: (reference: SecretReference) => string | null },
): { documents: ConfigDocument[]; fresh: Map<string, string> } {
  const fresh = new Map<string, string>()
  const old = new Map(before.map((document) => [`${document.kind}/${document.id}`, document]))
  let at = ''
  const replace = (value: unknown, was: unknown): unknown => {
    if (typeof value !== 'string' || value === '') return value
    if (isReference(was) && (value === MASK || vault.reveal(was) === value)) return was
    if (value === MASK) throw new UnknownMaskError(`${at} has a masked secret, and there is no earlier one to keep`)
    const id = `sec_${randomBytes(12).toString('base64url')}`
    fresh.set(id, value)
    return { secret: id }
  }
  const taken = documents.map((document) => {
    at = `${document.kind}/${document.id}`
    return mapSecrets(document, old.get(at), { fields: vault.fields, replace }) as ConfigDocument
  })
  return { documents: taken, fresh }
}

/** `MASK` for each text that is the secret which stood at the same place of the same document in `before`: told again, it is no change. */
export function maskUnchanged(
  documents: readonly ConfigDocument[],
  before: readonly ConfigDocument[],
  reveal: (reference: SecretReference) => string | null,
): ConfigDocument[] {
  const old = new Map(before.map((document) => [`${document.kind}/${document.id}`, document]))
  const replace = (value: unknown, was: unknown): unknown =>
    typeof value === 'string' && isReference(was) && reveal(was) === value ? MASK : value
  return documents.map(
    (document) => mapSecrets(document, old.get(`${document.kind}/${document.id}`), { fields: secretFields, replace }) as ConfigDocument,
  )
}

/** The documents with `MASK` for every reference. */
export function maskSecrets(documents: readonly ConfigDocument[], fields: SecretFields): ConfigDocument[] {
  const replace = (value: unknown) => (isReference(value) ? MASK : value)
  return documents.map((document) => mapSecrets(document, undefined, { fields, replace }) as ConfigDocument)
}

/** The references in documents. */
export function referencesIn(documents: readonly ConfigDocument[], fields: SecretFields): string[] {
  const found: string[] = []
  const replace = (value: unknown) => {
    if (isReference(value)) found.push(value.secret)
    return value
  }
  for (const document of documents) mapSecrets(document, undefined, { fields, replace })
  return found
}

interface Visit {
  fields: SecretFields
  replace: (value: unknown, was: unknown) => unknown
}

/** A copy of `value` with `replace` applied to what stands in secret fields; `was` is walked alongside. Array items match by `id`, else by index. */
function mapSecrets(value: unknown, was: unknown, visit: Visit): unknown {
  if (Array.isArray(value)) return value.map((item, i) => mapSecrets(item, counterpart(item, i, was), visit))
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  const earlier: Record<string, unknown> = typeof was === 'object' && was !== null ? (was as Record<string, unknown>) : {}
  for (const [field, inner] of Object.entries(value)) {
    const before = Object.hasOwn(earlier, field) ? earlier[field] : undefined
    const isSecret = visit.fields.has(field) && (typeof inner === 'string' || isReference(inner))
    const mapped = isSecret ? visit.replace(inner, before) : mapSecrets(inner, before, visit)
    Object.defineProperty(copy, field, { value: mapped, enumerable: true, writable: true, configurable: true })
  }
  return copy
}

function counterpart(item: unknown, index: number, was: unknown): unknown {
  if (!Array.isArray(was)) return undefined
  const idOf = (value: unknown) => (typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined)
  const id = idOf(item)
  return id === undefined ? was[index] : was.find((candidate) => idOf(candidate) === id)
}
