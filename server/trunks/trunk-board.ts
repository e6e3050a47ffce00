import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import { RecentMap } from '#base/recent-map.ts'
import type { NewFact } from '#contract/facts.ts'
import type { SipAgent } from '#sip/agent.ts'
import type { Resolver } from '#sip/transport/transport.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import { isWithin, networksOf } from '#server/trunks/networks.ts'
import type { SharedSources } from '#server/trunks/shared-sources.ts'
import { TrunkLink, type TrunkLinkOptions } from '#server/trunks/trunk-link.ts'

export interface TrunkBoardNeeds {
  clock: Clock
  log: Log
  sip: Pick<SipAgent, 'request'>
  locator: Resolver
  /** Where calls of several companies may come from. */
  shared: SharedSources
  tell: (fact: NewFact) => void
  random: Random
  /** What we call ourselves towards a peer: `host:port`. */
  ourHost: (peer: string) => string
}

/** How long a registrar may take to let us go. */
const goodbyeMs = 2_000
/** Of so many addresses that no trunk lists by itself it is remembered whose networks they are in. */
const remembered = 1_000

/** All trunks of all companies on this server: which are up, how full they are, and whose calls come from which address. */
export class TrunkBoard {
  #needs: TrunkBoardNeeds
  #links = new Map<string, TrunkLink>()
  /** By exact source address; networks are scanned (few). */
  #byAddress = new Map<string, TrunkLink[]>()
  /** What the scan gave, as long as nothing of the trunks changes. */
  #scanned = new RecentMap<readonly TrunkLink[]>(remembered)
  /** What any company lists by address. */
  #listed = networksOf([])

  constructor(needs: TrunkBoardNeeds) {
    this.#needs = needs
  }

  /** Takes over a company's trunks after a change of its configuration: unchanged ones keep their registration and calls. */
  configure(tenant: string, trunks: Iterable<CompiledTrunk>, secretOf: (trunk: CompiledTrunk) => string | null): void {
    const wanted = new Map([...trunks].filter((t) => t.enabled).map((t) => [keyOf(tenant, t.id), t]))
    const replaced = new Map<string, TrunkLinkOptions['replaces']>()
    for (const [key, link] of this.#links) {
      if (link.tenant !== tenant) continue
      const trunk = wanted.get(key)
      if (trunk === undefined || !link.isFor(trunk, secretOf(trunk))) {
        this.#links.delete(key)
        replaced.set(key, { link, closed: this.#orLater(link.close()) })
      }
    }
    for (const [key, trunk] of wanted) {
      if (this.#links.has(key)) continue
      const replaces = replaced.get(key)
      this.#links.set(
        key,
        new TrunkLink(this.#needs, {
          ...{ tenant, trunk, password: secretOf(trunk) },
          // Its sources count from now on, wherever the trunk itself is.
          onLooked: () => this.#index(),
          onResolved: () => this.#index(),
          ...(replaces !== undefined && { replaces }),
        }),
      )
    }
    this.#listed = networksOf([...this.#links.values()].flatMap((link) => link.trunk.addresses))
    this.#index()
  }

  link(tenant: string, trunk: string): TrunkLink | null {
    return this.#links.get(keyOf(tenant, trunk)) ?? null
  }

  /** The trunks whose calls come from this address; none means a stranger. */
  from(address: string, port: number): readonly TrunkLink[] {
    const exact = this.#byAddress.get(address)
    if (exact === undefined) return this.#scanned.get(address) ?? this.#scan(address)
    if (exact.length < 2) return exact
    // A peer on our own machine is told apart by its port, too, where several share the address.
    const byPort = exact.filter((link) => link.hasAddress(address, port))
    return byPort.length > 0 ? byPort : exact
  }

  #scan(address: string): readonly TrunkLink[] {
    const found = [...this.#links.values()].filter((link) => link.isFrom(address) && !this.#isOthers(link, address))
    this.#scanned.set(address, found)
    return found
  }

  get shared(): SharedSources {
    return this.#needs.shared
  }

  /** Addresses to which the names in other companies' trunks lead now. */
  foundOfOthers(tenant: string): string[] {
    return [...this.#links.values()].flatMap((link) => (link.tenant === tenant ? [] : [...link.found()]))
  }

  *[Symbol.iterator](): IterableIterator<TrunkLink> {
    yield* this.#links.values()
  }

  /** Takes our registrations away; waits only so long for registrars that do not answer. */
  async close(): Promise<void> {
    const closing = [...this.#links.values()].map((link) => link.close())
    this.#links.clear()
    this.#byAddress.clear()
    this.#scanned = new RecentMap(remembered)
    if (closing.length > 0) await this.#orLater(Promise.all(closing))
  }

  /** Resolves with `done`, or when `goodbyeMs` have passed. */
  async #orLater(done: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _patience = this.#needs.clock.after(goodbyeMs, resolve)
    await Promise.race([done, promise])
  }

  /** A name can be made to lead anywhere: where it leads to what another company lists by address, that company has it. */
  #isOthers(link: TrunkLink, address: string): boolean {
    if (!isWithin(this.#listed, address) || link.lists(address) || this.#needs.shared.covers(address)) return false
    return [...this.#links.values()].some((other) => other.tenant !== link.tenant && other.lists(address))
  }

  #index(): void {
    this.#byAddress.clear()
    this.#scanned = new RecentMap(remembered)
    for (const link of this.#links.values()) {
      for (const address of link.sources()) {
        if (this.#isOthers(link, address)) continue
        const there = this.#byAddress.get(address)
        if (there === undefined) this.#byAddress.set(address, [link])
        else if (!there.includes(link)) there.push(link)
      }
    }
  }
}

function keyOf(tenant: string, trunk: string): string {
  return `${tenant}/${trunk}`
}
