import type { TenantId } from '#server/store/face.ts'

/** What a key may do within its company. `operator`: a key of the provider, for every company. Each role includes the ones after it; operator includes all. */
export const roles = ['operator', 'owner', 'admin', 'supervisor', 'viewer'] as const
export type Role = (typeof roles)[number]

/** Whether `role` includes everything `needed` may do. */
export function mayActAs(role: Role, needed: Role): boolean {
  return roles.indexOf(role) <= roles.indexOf(needed)
}

/** Keys for the API. */
export interface ApiKeys {
  /** Makes a key; the text is shown once and never again. `tenant: null` only with role `operator`, and the other way round. */
  create(key: { tenant: TenantId | null; name: string; role: Role }): Promise<{ key: string; info: ApiKeyInfo }>
  /** Who holds this key? Null: nobody. Known keys are answered from memory for 30 seconds, and for as long as PostgreSQL is away. */
  verify(key: string): Promise<Caller | null>
  list(tenant: TenantId | null): Promise<ApiKeyInfo[]>
  /** False: no such key here. Takes effect at once in this process, within 30 seconds in others. */
  revoke(tenant: TenantId | null, id: string): Promise<boolean>
}
export interface Caller {
  readonly keyId: string
  readonly name: string
  readonly tenant: TenantId | null
  readonly role: Role
}
export interface ApiKeyInfo {
  readonly id: string
  readonly tenant: TenantId | null
  readonly name: string
  readonly prefix: string
  readonly role: Role
  readonly createdAt: number
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
}

/** Idempotency-Key of the API: a repeated request gets the first one's answer. Kept for 24 hours. */
export interface IdempotencyKeys {
  /**
   * `fingerprint`: SHA-256 of method, route and body. `new`: the caller does the work and then calls `finish` or `forget`; `replay`: the answer
   * given before; `in-progress`: the first request is not done (409); `mismatch`: the key was used for something else (422).
   */
  begin(tenant: TenantId, key: string, fingerprint: string): Promise<IdempotencyVerdict>
  finish(tenant: TenantId, key: string, answer: StoredAnswer): Promise<void>
  /** The work failed before it changed anything: the key may be used again. */
  forget(tenant: TenantId, key: string): Promise<void>
}
export type IdempotencyVerdict = { kind: 'new' } | { kind: 'replay'; answer: StoredAnswer } | { kind: 'in-progress' } | { kind: 'mismatch' }
export interface StoredAnswer {
  readonly status: number
  readonly body: unknown
}
