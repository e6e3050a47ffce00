import type { Secret } from '#contract/documents/fields.ts'
import type { ConfigStore } from '#server/config-store/index.ts'

/** Reads the plain text behind the secret fields of one company's documents. */
export function secretsOf(store: Pick<ConfigStore, 'reveal'>, tenant: string): (secret: Secret) => string | null {
  return (secret) => (typeof secret === 'string' ? secret : store.reveal(tenant, secret))
}
