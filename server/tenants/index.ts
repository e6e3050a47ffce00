export type { Tenant, Tenants } from '#server/tenants/face.ts'
export { openTenants } from '#server/tenants/tenants.ts'
