import { createSecretKey } from 'node:crypto'
import { HmacSha256 } from '#sip/auth/hmac.ts'
import type { DigestAlgorithm, DigestUser } from '#sip/agent.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'

/**
 * Phones that do not exist, to be challenged as those that do: where a company's phones are offered different algorithms, each name that nobody
 * has is offered those of some of them, and always the same. Otherwise the offer would tell who exists.
 */
export class Decoys {
  readonly #hmac: HmacSha256
  readonly #offers = new WeakMap<CompiledConfig, readonly Offer[]>()

  /** `secret`: outlives the process, or who comes again after a restart could tell. */
  constructor(secret: Uint8Array) {
    this.#hmac = new HmacSha256(createSecretKey(secret))
  }

  /** Null where all phones are offered the same, as anybody is. `name`: as it is claimed. */
  like(config: CompiledConfig, name: string): DigestUser | null {
    const offers = this.#offersOf(config)
    const [first] = offers
    if (first === undefined || (offers.length === 1 && first.isUsual)) return null
    const drawn = this.#hmac.of(`${config.settled.sipDomain}\n${name.toLowerCase()}`, 'hex')
    const lot = Number.parseInt(drawn.slice(0, 8), 16) / 2 ** 32
    const { algorithms } = offers.find(({ upTo }) => lot < upTo) ?? first
    return { algorithms, ha1: {}, identity: { id: 'nobody', aor: null } }
  }

  #offersOf(config: CompiledConfig): readonly Offer[] {
    const known = this.#offers.get(config)
    if (known !== undefined) return known
    const made = offersOf([...config.devicesByUsername.values()])
    this.#offers.set(config, made)
    return made
  }
}

/** One choice of algorithms, and up to where in 0 to 1 names fall to it. */
interface Offer {
  readonly algorithms: readonly DigestAlgorithm[]
  readonly upTo: number
  readonly isUsual: boolean
}

/** What is offered to who is not known anywhere: as devices have it by default. */
const USUAL = 'SHA-256 MD5'

/** By share, so that a new phone changes what few names are offered. */
function offersOf(devices: readonly CompiledDevice[]): readonly Offer[] {
  const counts = new Map<string, { algorithms: readonly DigestAlgorithm[]; count: number }>()
  for (const { algorithms } of devices) {
    const key = algorithms.join(' ')
    counts.set(key, { algorithms, count: (counts.get(key)?.count ?? 0) + 1 })
  }
  let total = 0
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { algorithms, count }]) => ({ algorithms, upTo: (total += count) / devices.length, isUsual: key === USUAL }))
}
