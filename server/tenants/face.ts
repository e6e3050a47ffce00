import type { TenantId } from '#server/store/face.ts'

/** The companies on this system. */
export interface Tenants {
  create(tenant: { id: TenantId; name: string }): Promise<{ kind: 'created'; tenant: Tenant } | { kind: 'taken' } | { kind: 'bad-id' }>
  list(): Promise<Tenant[]>
  get(id: TenantId): Promise<Tenant | null>
  rename(id: TenantId, name: string): Promise<boolean>
  setState(id: TenantId, state: Tenant['state']): Promise<boolean>
}
export interface Tenant {
  readonly id: TenantId
  readonly name: string
  readonly state: 'active' | 'suspended'
  readonly createdAt: number
}

/** Whether this may name a company: lower-case letters, digits and hyphens, 1 to 63, first a letter or digit. */
export function isTenantId(text: string): text is TenantId {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(text)
}
