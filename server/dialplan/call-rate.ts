import type { Clock, Millis } from '#base/clock.ts'
import { TokenBucket } from '#sip/transport/token-bucket.ts'

/** A company that has asked for no call for so long leaves its share to the others. */
const ACTIVE_MS: Millis = 10_000

/**
 * How many new calls a second are taken, in fair shares: whoever asks for more than its share gets what is over as long as half of what there
 * is stays for the others. So one company that is called by everybody at once, or that has been broken into, leaves the rest their lines.
 */
export class CallRate {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #total: TokenBucket
  readonly #companies = new Map<string, { share: TokenBucket; at: Millis }>()
  #countedAt: Millis
  #active = 1

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#total = new TokenBucket(clock, perSecond)
    this.#countedAt = clock.now()
  }

  /** Whether this company may begin a call now; if so, it counts. */
  takes(tenant: string): boolean {
    const within = this.#shareOf(tenant).take()
    return (within || this.#total.level > this.#perSecond / 2) && this.#total.take()
  }

  /** Counts a call that is taken in any case. */
  count(): void {
    this.#total.take()
  }

  #shareOf(tenant: string): TokenBucket {
    const now = this.#clock.now()
    let company = this.#companies.get(tenant)
    if (company === undefined) this.#companies.set(tenant, (company = { share: new TokenBucket(this.#clock, this.#perSecond), at: now }))
    company.at = now
    if (now - this.#countedAt > 1_000 || this.#companies.size > this.#active) this.#recount(now)
    return company.share
  }

  #recount(now: Millis): void {
    for (const [tenant, { at }] of this.#companies) if (now - at > ACTIVE_MS) this.#companies.delete(tenant)
    this.#active = this.#companies.size
    this.#countedAt = now
    for (const { share } of this.#companies.values()) share.perSecond = Math.max(1, this.#perSecond / this.#active)
  }
}
