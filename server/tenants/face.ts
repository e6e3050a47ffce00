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
