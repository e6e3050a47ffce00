import type { Random } from '#base/ids.ts'
import type { NewFact } from '#contract/facts.ts'
import type { ConfigProblem } from '#contract/errors.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { claimedByOthers } from '#server/companies/claims.ts'
import { maskUnchanged } from '#server/config-store/secrets.ts'
import { masksOfNothing } from '#server/companies/masks.ts'
import { diff, type DocumentChange } from '#server/config/diff.ts'
import { type DocumentFile, nowhere, readDocuments, readValues } from '#server/config/read.ts'
import { validateCompany } from '#server/config/validate.ts'
import { type SoundLengths, unheard } from '#server/companies/sound-lengths.ts'
import { type SourceClaims, sourcesOfOthers } from '#server/companies/source-claims.ts'
import type { ConfigStore } from '#server/config-store/index.ts'
import type { PromptFiles } from '#server/prompts/prompt-files.ts'

export interface ApplyNeeds {
  store: ConfigStore
  random: Random
  tell: (fact: NewFact) => void
  sounds: SoundLengths
  sources: SourceClaims
  files: Pick<PromptFiles, 'pin' | 'restore'>
}

/** A whole new configuration, as files or as JSON documents. */
export type Wanted = ({ files: readonly DocumentFile[] } | { documents: readonly unknown[] }) & {
  /** Sound files that the author is about to bring, and their lengths: planned with as if they were there. */
  coming?: readonly { file: string; ms: number; sha256?: string | undefined }[]
}

/** What applying would do, or did. `problems` with severity `error` mean that nothing changes. */
export type Planned = { kind: 'sound'; documents: ConfigDocument[]; changes: DocumentChange[]; warnings: ConfigProblem[]; current: number }
export type Refused = { kind: 'refused'; problems: ConfigProblem[] }
export type Applied = { kind: 'applied'; version: number; changes: DocumentChange[]; warnings: ConfigProblem[] }
export type Conflict = { kind: 'conflict'; current: number }

/** What `apply` would change: refused as a whole, with every error and its place, or a difference to look at. */
export async function planConfiguration(needs: ApplyNeeds, tenant: string, wanted: Wanted): Promise<Planned | Refused> {
  const read = 'files' in wanted ? readDocuments(wanted.files) : { ...readValues(wanted.documents), locate: nowhere }
  const problems = [...read.problems]
  if (problems.length === 0) {
    const promptMs = await needs.sounds(tenant, read.documents, wanted.coming ?? [])
    problems.push(...validateCompany(read.documents, { locate: read.locate, promptMs }), ...unheard(read.documents, promptMs, read.locate))
  }
  const current = needs.store.current(tenant)
  const before = current === null ? [] : readValues(needs.store.masked(current)).documents
  if (read.problems.length === 0) {
    problems.push(
      ...claimedByOthers(needs.store, tenant, read.documents, read.locate),
      ...sourcesOfOthers({ store: needs.store, ...needs.sources }, tenant, read.documents, read.locate),
      ...masksOfNothing(read.documents, before, read.locate),
    )
  }
  if (problems.some((problem) => problem.severity === 'error')) return { kind: 'refused', problems }
  const told = maskUnchanged(read.documents, current?.documents ?? [], (reference) => needs.store.reveal(tenant, reference))
  const coming = new Map((wanted.coming ?? []).map(({ file, sha256 }) => [file, sha256]))
  const documents = await withSounds(withPasswords(readValues(told).documents, before, needs.random), (file) =>
    Promise.resolve(coming.get(file) ?? needs.files.pin(tenant, file)),
  )
  return {
    kind: 'sound',
    documents,
    changes: diff(before, documents),
    warnings: problems,
    current: current?.version ?? 0,
  }
}

/** Validates and saves as a new version, in force at once for new calls. `expected`: the version the author had seen; absent: whatever is current. */
export async function applyConfiguration(
  needs: ApplyNeeds,
  tenant: string,
  change: { wanted: Wanted; author: string; comment: string; expected?: number },
): Promise<Applied | Refused | Conflict> {
  const planned = await planConfiguration(needs, tenant, change.wanted)
  if (planned.kind === 'refused') return planned
  const expected = change.expected ?? planned.current
  const { author, comment } = change
  const saved = await needs.store.save(tenant, { expected, author, comment, documents: planned.documents })
  if (saved.kind === 'conflict') return saved
  const { version } = saved.version
  needs.tell({ kind: 'config.changed', tenant, version, author, comment })
  return { kind: 'applied', version, changes: planned.changes, warnings: planned.warnings }
}

/** Prompts refer to what their files hold now, so that going back to this version brings it back. */
async function withSounds(documents: ConfigDocument[], pin: (file: string) => Promise<string | null>): Promise<ConfigDocument[]> {
  return Promise.all(
    documents.map(async (document) => {
      if (document.kind !== 'prompt' || document.file === undefined || document.sha256 !== undefined) return document
      const sha256 = await pin(document.file)
      return sha256 === null ? document : { ...document, sha256 }
    }),
  )
}

/** The documents as people keep them: what a prompt's file holds stands beside them, in the file. */
export function withoutSounds<D extends { kind: string }>(documents: readonly D[]): D[] {
  return documents.map((document) =>
    document.kind === 'prompt'
      ? (Object.fromEntries(Object.entries(document).filter(([field]) => field !== 'sha256')) as unknown as D)
      : document,
  )
}

/** Puts what these prompts refer to back under their paths, where the next version would find it. */
export async function restoreSounds(
  { files }: Pick<ApplyNeeds, 'files'>,
  tenant: string,
  documents: readonly ConfigDocument[],
): Promise<void> {
  for (const document of documents) {
    if (document.kind === 'prompt' && document.file !== undefined && document.sha256 !== undefined)
      await files.restore(tenant, document.file, document.sha256)
  }
}

/** Phones without a password get a strong one the first time, and keep it. */
function withPasswords(documents: readonly ConfigDocument[], before: readonly ConfigDocument[], random: Random): ConfigDocument[] {
  const had = new Map(before.flatMap((d) => (d.kind === 'device' && d.password !== undefined ? [[d.id, d.password] as const] : [])))
  return documents.map((document) => {
    if (document.kind !== 'device' || document.password !== undefined) return document
    return { ...document, password: had.get(document.id) ?? newPassword(random) }
  })
}

const letters = 'abcdefghjkmnpqrstuvwxyz23456789'

/** 16 characters that are hard to mistake for each other when typed into a telephone: 79 bits. */
function newPassword(random: Random): string {
  return Array.from({ length: 16 }, () => letters.charAt(random.below(letters.length))).join('')
}
