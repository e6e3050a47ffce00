import type { TenantId } from '#server/store/face.ts'

/** Versions of each company's configuration. What the documents mean is the business of others; here they are JSON with a kind and an id. */
export interface ConfigStore {
  /** The current version, from memory: never waits, works while PostgreSQL is away. Null: the company has none yet. */
  current(tenant: TenantId): ConfigVersion | null
  /** Companies that have a configuration, from memory. */
  tenants(): TenantId[]
  /** A version as it was saved; null if there is none. */
  at(tenant: TenantId, version: number): Promise<ConfigVersion | null>
  /** Newest first, without documents. `before`: exclusive upper bound. */
  history(tenant: TenantId, options?: { before?: number; limit?: number }): Promise<ConfigVersionInfo[]>
  /**
   * Saves a whole new version if `expected` is still the current one (0: there is none yet). Texts in secret fields are sealed first and the
   * documents hold only references; a field that comes back as `MASK` keeps what it was; `UnknownMaskError` if it was nothing. `config.changed` is the caller's fact to write.
   */
  save(tenant: TenantId, change: ConfigChange): Promise<{ kind: 'saved'; version: ConfigVersion } | { kind: 'conflict'; current: number }>
  /** Saves the documents of an old version as a new one. `missing`: there is no such version. */
  rollback(
    tenant: TenantId,
    to: number,
    change: Omit<ConfigChange, 'documents'>,
  ): Promise<{ kind: 'saved'; version: ConfigVersion } | { kind: 'conflict'; current: number } | { kind: 'missing' }>
  /** Every text that documents of any version of a company have in this field: what versions refer to by it must stay. */
  everIn(tenant: TenantId, field: string): Promise<Set<string>>
  /** The plain text behind a reference, from memory. Null: no such secret of this company. */
  reveal(tenant: TenantId, reference: SecretReference): string | null
  /** The documents with `MASK` in place of every secret: fit to be shown, diffed and put in git. */
  masked(version: ConfigVersion): ConfigDocument[]
  /** Tells of each new current version, after it is saved. */
  subscribe(listener: (tenant: TenantId, version: ConfigVersion) => void): Disposable
}

/** Stands for a secret in what leaves the system. */
export const MASK = '********'

/** A secret field holds `MASK`, and the version before has no secret there to keep. The message names the document. */
export class UnknownMaskError extends Error {
  override readonly name = 'UnknownMaskError'
}

/** What documents hold in place of a password. */
export interface SecretReference {
  readonly secret: string
}

export interface ConfigDocument {
  readonly kind: string
  readonly id: string
  readonly [field: string]: unknown
}

export interface ConfigVersionInfo {
  readonly version: number
  readonly author: string
  readonly comment: string
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}
export interface ConfigVersion extends ConfigVersionInfo {
  readonly documents: readonly ConfigDocument[]
}
export interface ConfigChange {
  readonly expected: number
  readonly author: string
  readonly comment: string
  readonly documents: readonly ConfigDocument[]
}
