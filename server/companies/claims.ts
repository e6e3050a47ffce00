import type { ConfigProblem } from '#contract/errors.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { type Locate, nowhere } from '#server/config/read.ts'
import type { ConfigStore } from '#server/config-store/index.ts'

/** What only one company of a system can have: a SIP domain, which tells whose phones they are, and a public number, which tells whose calls. */
interface Claim {
  document: { kind: string; id: string }
  path: readonly (string | number)[]
  what: string
  /** Compared with other companies' claims. */
  key: string
}

/** Claims of these documents that another company of the system has made before. Who that is, is not said. */
export function claimedByOthers(
  store: Pick<ConfigStore, 'tenants' | 'current'>,
  tenant: string,
  documents: readonly ConfigDocument[],
  locate: Locate = nowhere,
): ConfigProblem[] {
  const taken = new Set<string>()
  for (const other of store.tenants()) {
    if (other === tenant) continue
    for (const document of store.current(other)?.documents ?? []) for (const claim of claimsOf(document)) taken.add(claim.key)
  }
  if (taken.size === 0) return []
  return documents.flatMap((document) =>
    claimsOf(document)
      .filter((claim) => taken.has(claim.key))
      .map(
        (claim): ConfigProblem => ({
          severity: 'error',
          rule: 'taken',
          message: `${claim.what} belongs to another company of this system`,
          ...claim.document,
          pointer: `/${claim.path.join('/')}`,
          expected: 'one that no other company has',
          ...locate(document, claim.path),
        }),
      ),
  )
}

function claimsOf(document: { readonly kind: string; readonly id: string; readonly [field: string]: unknown }): Claim[] {
  const about = { kind: document.kind, id: document.id }
  if (document.kind === 'number' && typeof document['number'] === 'string') {
    const number = document['number']
    return [{ document: about, path: ['number'], what: `the number ${number}`, key: `number ${number}` }]
  }
  const domains = document.kind === 'company' ? document['sipDomains'] : undefined
  if (!Array.isArray(domains)) return []
  return domains.flatMap((domain: unknown, i) =>
    typeof domain === 'string'
      ? [{ document: about, path: ['sipDomains', i], what: `the SIP domain ${domain}`, key: `domain ${domain.toLowerCase()}` }]
      : [],
  )
}
