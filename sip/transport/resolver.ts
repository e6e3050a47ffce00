import { Resolver as Dns } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { TransportName } from '#sip/agent.ts'
import type { Destination, Resolver } from '#sip/transport/transport.ts'

const DEFAULT_PORT = 5060
/** An answer is used this long without asking, and then still while nobody answers anew. */
const FRESH_MS: Millis = 30_000
const STALE_MS: Millis = 3_600_000
const MAX_NAMES = 10_000

/** The part of `node:dns` that is used, so that tests bring their own zone. */
export interface DnsLookups {
  resolve4(host: string): Promise<string[]>
  resolve6(host: string): Promise<string[]>
  resolveSrv(name: string): Promise<{ priority: number; weight: number; name: string; port: number }[]>
}

interface Known {
  destinations: readonly Destination[]
  at: Millis
}

/**
 * SRV, then A and AAAA, through a cache (RFC 3263 §4.2). When the name servers are silent, the last answer serves for an hour. The
 * transport is the caller's choice, so NAPTR is not asked.
 */
export class DnsResolver implements Resolver {
  readonly #clock: Clock
  readonly #random: Random
  readonly #dns: DnsLookups
  readonly #known = new Map<string, Known>()

  /** `dns`: default the system's name servers, 2 s for each of two attempts. */
  constructor(clock: Clock, random: Random, dns: DnsLookups = new Dns({ timeout: 2_000, tries: 2 })) {
    this.#clock = clock
    this.#random = random
    this.#dns = dns
  }

  async resolve(host: string, port: number | null, transport: TransportName): Promise<readonly Destination[]> {
    if (isIP(host) !== 0) return [{ transport, address: host, port: port ?? DEFAULT_PORT }]
    const key = `${transport} ${host.toLowerCase()} ${port ?? ''}`
    const known = this.#known.get(key)
    if (known !== undefined && this.#clock.now() - known.at < FRESH_MS) return known.destinations
    const found = await this.#ask(host, port, transport)
    if (found.length === 0) return known !== undefined && this.#clock.now() - known.at < STALE_MS ? known.destinations : []
    this.#keep(key, found)
    return found
  }

  async #ask(host: string, port: number | null, transport: TransportName): Promise<Destination[]> {
    if (port !== null) return this.#addresses(host, port, transport)
    const services = await this.#dns.resolveSrv(`_sip._${transport}.${host}`).catch(() => [])
    if (services.length === 0) return this.#addresses(host, DEFAULT_PORT, transport)
    const targets = inOrder(services, this.#random)
    return (await Promise.all(targets.map((target) => this.#addresses(target.name, target.port, transport)))).flat()
  }

  async #addresses(host: string, port: number, transport: TransportName): Promise<Destination[]> {
    if (host === 'localhost') return ['127.0.0.1', '::1'].map((address) => ({ transport, address, port }))
    const [v4, v6] = await Promise.all([this.#dns.resolve4(host).catch(() => []), this.#dns.resolve6(host).catch(() => [])])
    return [...v4, ...v6].map((address) => ({ transport, address, port }))
  }

  #keep(key: string, destinations: readonly Destination[]): void {
    this.#known.delete(key)
    this.#known.set(key, { destinations, at: this.#clock.now() })
    if (this.#known.size <= MAX_NAMES) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }
}

/** By priority; within one, drawn by weight (RFC 2782). */
export function inOrder<T extends { priority: number; weight: number }>(services: readonly T[], random: Random): T[] {
  const left = services.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight)
  const ordered: T[] = []
  while (left.length > 0) {
    const group = left.filter((service) => service.priority === left[0]?.priority)
    let draw = random.below(group.reduce((sum, { weight }) => sum + weight, 0) + 1)
    const index = group.findIndex(({ weight }) => (draw -= weight) <= 0)
    ordered.push(...left.splice(Math.max(index, 0), 1))
  }
  return ordered
}
