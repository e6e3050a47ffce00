import type { Clock } from '#base/clock.ts'

/** How often somebody may ask, in the words of the RateLimit header fields. */
export interface Allowance {
  limit: number
  remaining: number
  resetSeconds: number
  allowed: boolean
}

/** A token bucket per key: so many requests a minute, evenly refilled. Bounded: the longest idle are forgotten first. */
export class RateLimit {
  #clock: Clock
  #perMinute: number
  #buckets = new Map<string, { tokens: number; at: number }>()

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock
    this.#perMinute = perMinute
  }

  take(key: string): Allowance {
    const now = this.#clock.now()
    const bucket = this.#buckets.get(key) ?? { tokens: this.#perMinute, at: now }
    const tokens = Math.min(this.#perMinute, bucket.tokens + ((now - bucket.at) / 60_000) * this.#perMinute)
    const allowed = tokens >= 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now })
    const oldest = this.#buckets.size > 10_000 ? this.#buckets.keys().next() : null
    if (oldest?.done === false) this.#buckets.delete(oldest.value)
    const left = allowed ? tokens - 1 : tokens
    return {
      limit: this.#perMinute,
      remaining: Math.floor(left),
      resetSeconds: Math.ceil(((this.#perMinute - left) / this.#perMinute) * 60),
      allowed,
    }
  }
}
