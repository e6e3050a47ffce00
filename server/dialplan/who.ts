import type { Identity } from '#sip/agent.ts'

/** Who a request comes from, as the dial plan knows them. Made by `identify`, read back in `onInvite`. */
export type Who = DeviceWho | TrunkWho

/** A phone of one company, authenticated. */
export interface DeviceWho extends Identity {
  readonly kind: 'device'
  readonly tenant: string
  readonly device: string
}

/**
 * A carrier or exchange known by its address. Two companies may use the same carrier: which of them a call is for is decided by
 * the number it dials.
 */
export interface TrunkWho extends Identity {
  readonly kind: 'trunk'
  readonly aor: null
  readonly candidates: readonly { tenant: string; trunk: string }[]
}

export function isWho(identity: Identity): identity is Who {
  return 'kind' in identity
}
