import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Trunk } from '#contract/documents/trunk.ts'
import type { ConfigProblem } from '#contract/errors.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { type Locate, nowhere, readValues } from '#server/config/read.ts'
import type { ConfigStore } from '#server/config-store/index.ts'
import { overlap } from '#server/trunks/networks.ts'
import type { SharedSources } from '#server/trunks/shared-sources.ts'

/** Which sources of trunk calls are whose. */
export interface SourceClaims {
  /** What several companies may have. */
  shared: SharedSources
  /** Addresses to which the names that other companies' trunks list lead now. */
  foundOfOthers: (tenant: string) => Iterable<string>
}

/** Where a trunk's calls come from: an address, a network or a name, and the field that says so. */
interface Source {
  trunk: Trunk
  source: string
  path: readonly (string | number)[]
}

/**
 * Trunks of these documents whose calls would come from where another company's come: whoever listed a source first has it, unless the operator
 * shares it. What the company had in its current version already stands. Who the other is, is not said.
 */
export function sourcesOfOthers(
  needs: SourceClaims & { store: Pick<ConfigStore, 'tenants' | 'current'> },
  tenant: string,
  documents: readonly ConfigDocument[],
  locate: Locate = nowhere,
): ConfigProblem[] {
  const { store, shared } = needs
  const before = new Set(sourcesIn(store.current(tenant)?.documents ?? []).map(({ source }) => source.toLowerCase()))
  const wanted = sourcesOf(documents).filter(({ source }) => !before.has(source.toLowerCase()) && !shared.covers(source))
  if (wanted.length === 0) return []
  const others = store.tenants().filter((other) => other !== tenant)
  const taken = [
    ...others.flatMap((other) => sourcesIn(store.current(other)?.documents ?? [])).map(({ source }) => source),
    ...needs.foundOfOthers(tenant),
  ]
  return wanted
    .filter(({ source }) => taken.some((theirs) => overlap(source, theirs)))
    .map(
      ({ trunk, source, path }): ConfigProblem => ({
        severity: 'error',
        rule: 'source-taken',
        message: `calls from ${source} are those of another company of this system`,
        ...{ kind: 'trunk', id: trunk.id, pointer: `/${path.join('/')}` },
        expected: 'a source that no other company has, or one that the operator of the system shares (CENTRALA_SHARED_TRUNK_SOURCES)',
        ...locate(trunk, path),
      }),
    )
}

function sourcesIn(stored: readonly unknown[]): Source[] {
  return sourcesOf(readValues(stored).documents)
}

function sourcesOf(documents: readonly ConfigDocument[]): Source[] {
  return ofKind(documents, 'trunk').flatMap((trunk): Source[] => {
    if (trunk.addresses !== undefined) return trunk.addresses.map((source, i) => ({ trunk, source, path: ['addresses', i] }))
    const proxy = trunk.outboundProxy
    const host: Source = { trunk, source: trunk.host, path: ['host'] }
    return proxy === undefined ? [host] : [host, { trunk, source: proxy.host, path: ['outboundProxy', 'host'] }]
  })
}
