import type { ConfigDocument, DocumentKind } from '#contract/documents/document.ts'
import type { ConfigProblem } from '#contract/errors.ts'
import { featureChecks } from '#server/config/features.ts'
import { codecChecks } from '#server/config/codecs.ts'
import { conferenceChecks } from '#server/config/check-conferences.ts'
import { deskChecks } from '#server/config/check-desks.ts'
import { flowChecks } from '#server/config/check-flows.ts'
import { hoursChecks } from '#server/config/check-hours.ts'
import { numberChecks } from '#server/config/check-numbers.ts'
import { ringChecks } from '#server/config/check-rings.ts'
import { trunkChecks } from '#server/config/check-trunks.ts'
import type { Check, Complaint } from '#server/config/complaint.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { nowhere, pointerTo, type Locate } from '#server/config/read.ts'
import { referencesOf } from '#server/config/references.ts'

/** What validating may know beside the documents. */
export interface ValidateOptions {
  /** Where documents are written, from `readDocuments`. */
  locate?: Locate
  /** Length in milliseconds of prompts whose sound is there, by id; greetings are measured with it. */
  promptMs?: ReadonlyMap<string, number>
}

/**
 * Checks a company's documents as a whole: each is sound by itself (`readDocuments`). Gives every problem with its place, errors first.
 * Without errors the set can be compiled, and no call of it can fall through.
 */
export function validateCompany(documents: readonly ConfigDocument[], options: ValidateOptions = {}): ConfigProblem[] {
  const locate = options.locate ?? nowhere
  const complaints = [...setChecks(documents), ...checks.flatMap((check) => check(documents))]
  if (ofKind(documents, 'company').length === 1) complaints.push(...flowChecks(documents, options.promptMs ?? new Map()))
  const problems = complaints.map((complaint) => problemOf(complaint, locate))
  return [...problems.filter((p) => p.severity === 'error'), ...problems.filter((p) => p.severity === 'warning')]
}

const checks: readonly Check[] = [
  singles,
  references,
  numberChecks,
  hoursChecks,
  ringChecks,
  trunkChecks,
  featureChecks,
  conferenceChecks,
  deskChecks,
  codecChecks,
]

function problemOf({ severity, rule, message, document, path }: Complaint, locate: Locate): ConfigProblem {
  if (document === null) return { severity, rule, message }
  const place = locate(document, path)
  return { severity, rule, message, kind: document.kind, id: document.id, pointer: pointerTo(path), ...place }
}

/** Kind and id are unique. */
function setChecks(documents: readonly ConfigDocument[]): Complaint[] {
  const seen = new Set<string>()
  return documents.flatMap((document): Complaint[] => {
    const key = `${document.kind} ${document.id}`
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [{ severity: 'error', rule: 'doubled-document', message: `there are two documents ${key}`, document, path: ['id'] }]
  })
}

function singles(documents: readonly ConfigDocument[]): Complaint[] {
  const complaints = (['company', 'outbound', 'emergency'] satisfies DocumentKind[]).flatMap((kind) =>
    ofKind(documents, kind)
      .slice(1)
      .map(
        (document): Complaint => ({
          severity: 'error',
          rule: 'one-only',
          message: `a configuration has one ${kind}`,
          document,
          path: ['kind'],
        }),
      ),
  )
  if (ofKind(documents, 'company').length > 0) return complaints
  return [
    ...complaints,
    { severity: 'error', rule: 'no-company', message: 'there is no document of kind company', document: null, path: [] },
  ]
}

function references(documents: readonly ConfigDocument[]): Complaint[] {
  const known = new Set(documents.map((document) => `${document.kind} ${document.id}`))
  return documents.flatMap((document) =>
    referencesOf(document)
      .filter(({ kind, id }) => !known.has(`${kind} ${id}`))
      .map(
        ({ kind, id, path }): Complaint => ({
          severity: 'error',
          rule: 'dangling-reference',
          message: `there is no ${kind} ${id}`,
          document,
          path,
        }),
      ),
  )
}
