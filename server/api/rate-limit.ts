import type { Clock } from '#base/clock.ts'
import { RecentMap } from '#base/recent-map.ts'

/** How often somebody may ask, in the words of the RateLimit header fields. */
export interface Allowance {
  limit: number
  remaining: number
  resetSeconds: number
  allowed: boolean
}

const CAPACITY = 10_000

/** A token bucket per key: so many requests a minute, evenly refilled. Bounded: the longest idle are forgotten first. */
export class RateLimit {
  #clock: Clock
  #perMinute: number
  #buckets = new RecentMap<{ tokens: number; at: number }>(CAPACITY)

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock
    this.#perMinute = perMinute
  }

  take(key: string): Allowance {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#perMinute, at: now }
    const tokens = Math.min(this.#perMinute, bucket.tokens + ((now - bucket.at) / 60_000) * this.#perMinute)
    const allowed = tokens >= 1
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now })
    const left = allowed ? tokens - 1 : tokens
    return {
      limit: this.#perMinute,
      remaining: Math.floor(left),
      resetSeconds: Math.ceil(((this.#perMinute - left) / this.#perMinute) * 60),
      allowed,
    }
  }
}
