import type { Clock } from '#base/clock.ts'
import { type Chain, readChain } from '#server/stir/chain.ts'

/** Gets the text under an https: URL; rejects when it cannot, or must not. */
export type FetchText = (url: string) => Promise<string>

/** A chain, or why there is none. */
export type Found = { chain: Chain } | { why: string }

/** Certificates stay for so long; what could not be had is not asked for again before. */
const keptMs = 3_600_000
const failureMs = 60_000
/** Different certificates kept, and asked for at the same time: callers name them, and may name any number. */
const mostKept = 1_000
const mostPending = 16

/** Certificates that callers' signatures name by URL: each fetched once for all calls, and remembered. */
export class Certificates {
  #clock: Clock
  #fetch: FetchText
  #kept = new Map<string, { found: Found; until: number }>()
  #own = new Map<string, Found>()
  #pending = new Map<string, Promise<Found>>()

  constructor(needs: { clock: Clock; fetch: FetchText }) {
    this.#clock = needs.clock
    this.#fetch = needs.fetch
  }

  /** Certificates that we publish ourselves and need not fetch; null forgets one. */
  own(url: string, pem: string | null): void {
    const chain = pem === null ? null : readChain(pem)
    if (chain === null) this.#own.delete(url)
    else this.#own.set(url, { chain })
  }

  /** At once when it is known, otherwise when it came. Never rejects. */
  get(url: string): Found | Promise<Found> {
    const kept = this.#own.get(url) ?? this.#fresh(url)
    if (kept !== undefined) return kept
    const pending = this.#pending.get(url)
    if (pending !== undefined) return pending
    if (this.#pending.size >= mostPending) return { why: 'too many certificates are being fetched' }
    const coming = this.#load(url).finally(() => this.#pending.delete(url))
    this.#pending.set(url, coming)
    return coming
  }

  #fresh(url: string): Found | undefined {
    const kept = this.#kept.get(url)
    return kept !== undefined && kept.until > this.#clock.now() ? kept.found : undefined
  }

  async #load(url: string): Promise<Found> {
    const found = await this.#fetch(url).then(
      (text): Found => {
        const chain = readChain(text)
        return chain === null ? { why: 'there is no certificate under its URL' } : { chain }
      },
      (fault: unknown): Found => ({ why: fault instanceof Error ? fault.message : 'the certificate cannot be fetched' }),
    )
    this.#kept.delete(url)
    const oldest = this.#kept.keys().next()
    if (this.#kept.size >= mostKept && oldest.done !== true) this.#kept.delete(oldest.value)
    this.#kept.set(url, { found, until: this.#clock.now() + ('chain' in found ? keptMs : failureMs) })
    return found
  }
}
