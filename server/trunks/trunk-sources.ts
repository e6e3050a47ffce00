import type { Clock, Millis } from '#base/clock.ts'
import type { Resolver } from '#sip/transport/transport.ts'

/** An address that a name no longer leads to is believed for so long: large carriers answer with a few of many, others each time. */
const lingerMs: Millis = 600_000
/** While nobody answers, for so long. */
const silenceMs: Millis = 3_600_000

/** The addresses behind the host names from which a trunk's calls come, as they change. */
export class TrunkSources {
  readonly #needs: { clock: Clock; locator: Resolver }
  readonly #hosts: readonly string[]
  /** By host, then address: when the name last led there. */
  readonly #seen = new Map<string, Map<string, Millis>>()
  #addresses: ReadonlySet<string> = new Set()

  constructor(needs: { clock: Clock; locator: Resolver }, hosts: readonly string[]) {
    this.#needs = needs
    this.#hosts = hosts
  }

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  addresses(): Iterable<string> {
    return this.#addresses
  }

  /** Asks anew: whatever a name leads to for SIP, by any transport, and its own addresses. */
  async look(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => this.#lookAt(host)))
    this.#addresses = new Set(this.#hosts.flatMap((host) => [...(this.#seen.get(host)?.keys() ?? [])]))
  }

  /** What another has seen of the same names. */
  takeOver(before: TrunkSources): void {
    for (const host of this.#hosts) {
      const seen = before.#seen.get(host)
      if (seen !== undefined) this.#seen.set(host, seen)
    }
    this.#addresses = new Set([...this.#seen.values()].flatMap((seen) => [...seen.keys()]))
  }

  async #lookAt(host: string): Promise<void> {
    const { clock, locator } = this.#needs
    const found = await Promise.all([
      locator.resolve({ host, port: null, transport: null }),
      locator.resolve({ host, port: null, transport: null, secure: true }),
      locator.resolve({ host, port: 5060, transport: 'udp' }),
    ])
    const now = clock.now()
    const seen = this.#seen.get(host) ?? new Map<string, Millis>()
    for (const { address } of found.flat()) seen.set(address, now)
    const kept = found.some((list) => list.length > 0) ? lingerMs : silenceMs
    for (const [address, at] of seen) if (now - at > kept) seen.delete(address)
    this.#seen.set(host, seen)
  }
}
