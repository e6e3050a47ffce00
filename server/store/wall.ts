import { createHash } from 'node:crypto'
import { isTenantId, type TenantId } from '#server/store/face.ts'

/**
 * Passes for row-level security. The policies believe `app.tenant` and `app.everyone` only with a signature under a key that the roles
 * of the server cannot read, so that even SQL smuggled into one company's transaction cannot name another company.
 * The database checks the same sum in `centrala.wall_signature`.
 */
export class Wall {
  #key: Buffer
  #passes = new Map<TenantId, string>()
  #everyone: string

  constructor(key: Buffer) {
    this.#key = key
    this.#everyone = this.#sign('everyone')
  }

  /** Opens a transaction as one company. Throws RangeError for what cannot be a company's id. */
  openTenant(tenant: TenantId): string {
    let pass = this.#passes.get(tenant)
    if (pass === undefined) {
      if (!isTenantId(tenant)) throw new RangeError('not a tenant id')
      pass = `${tenant}:${this.#sign(`tenant:${tenant}`)}`
      this.#passes.set(tenant, pass)
    }
    return `begin; select set_config('app.tenant', '${pass}', true)`
  }

  /** Opens a transaction that sees everyone; with `settings` (SQL) of its own first. */
  openEveryone(settings = ''): string {
    return `begin; ${settings} select set_config('app.everyone', '${this.#everyone}', true)`
  }

  #sign(subject: string): string {
    const inner = createHash('sha256').update(this.#key).update(subject).digest()
    return createHash('sha256').update(this.#key).update(inner).digest('hex')
  }
}
