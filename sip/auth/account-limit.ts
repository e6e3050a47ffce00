import type { Clock } from '#base/clock.ts'
import type { Identity } from '#sip/agent.ts'
import { RecentMap } from '#base/recent-map.ts'
import { TokenBucket } from '#sip/transport/token-bucket.ts'

/** Accounts remembered at most. */
const CAPACITY = 50_000

/** How many requests outside dialogs one account may make: a stolen password, or a phone gone mad, cannot take what is others'. Trunks have channels instead. */
export class AccountLimit {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #accounts = new RecentMap<TokenBucket>(CAPACITY)

  /** `perSecond`: requests of one account; as many more come at once after a quiet second. */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /** False when the account has used up what it may; a request that is refused costs nothing. */
  takes({ aor }: Identity): boolean {
    if (aor === null) return true
    let bucket = this.#accounts.get(aor)
    if (bucket === undefined) this.#accounts.set(aor, (bucket = new TokenBucket(this.#clock, this.#perSecond)))
    return bucket.take()
  }
}
