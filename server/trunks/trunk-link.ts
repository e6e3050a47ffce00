import { isIP, type BlockList } from 'node:net'
import { Disposal } from '#base/disposal.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import type { SendTo } from '#sip/agent.ts'
import { defaultPort, isSecure } from '#sip/transport/transport.ts'
import type { TrunkBoardNeeds } from '#server/trunks/trunk-board.ts'
import { isAlive } from '#server/trunks/is-alive.ts'
import { isWithin, networksOf } from '#server/trunks/networks.ts'
import { TrunkSources } from '#server/trunks/trunk-sources.ts'
import { TrunkRegistration } from '#server/trunks/trunk-registration.ts'

/** Where a trunk's requests can go, in the order to try. */
export type TrunkAddresses = readonly SendTo[]

/** Why a trunk cannot take a call right now; null when it can. */
export type TrunkBlock = { why: 'down' | 'full' | 'disabled'; detail: string } | null

/** Names are looked up anew so often; most of these times the answer is still in the cache. */
const resolveEveryMs = 30_000
/** Addresses at which one call looks for a living one. */
const maxWays = 4
/** A peer that has not answered an OPTIONS for so long is down. */
const probeTimeoutMs = 3_000

export interface TrunkLinkOptions {
  tenant: string
  trunk: CompiledTrunk
  password: string | null
  /** The names from whose addresses its calls come have been looked up. */
  onLooked: () => void
  /** Those and its own host. */
  onResolved: () => void
  /** The link of the same trunk as it was configured before, and when its registration has ended. */
  replaces?: { link: TrunkLink; closed: Promise<void> }
}

/** One trunk at work: where it is, whether it answers, how many calls it carries, and its registration if it has one. */
export class TrunkLink {
  readonly tenant: string
  readonly trunk: CompiledTrunk
  readonly password: string | null
  #needs: TrunkBoardNeeds
  #addresses: TrunkAddresses = []
  #networks: BlockList
  #sources: TrunkSources
  /** Shared with the link that this one replaces: its calls are still there. */
  #channels: { inUse: number }
  /** Ways that failed since they last worked. */
  readonly #dead = new Set<string>()
  #state: 'unknown' | 'up' | 'down' = 'unknown'
  #downWhy = ''
  /** Why the registration is down; null while it is up, not yet tried, or there is none. */
  #unregistered: string | null = null
  /** Whether the journal was told that something is wrong. */
  #toldDown = false
  #timer: Disposable | null = null
  #resolving: Disposable | null = null
  #registration: TrunkRegistration | null = null
  #onLooked: () => void
  #onResolved: () => void
  #after: Promise<void>
  #closed = false

  constructor(needs: TrunkBoardNeeds, of: TrunkLinkOptions) {
    this.#needs = needs
    this.#channels = of.replaces === undefined ? { inUse: 0 } : of.replaces.link.#channels
    // Otherwise the end of the old registration could overtake the begin of the new one, of the same Contact.
    this.#after = of.replaces?.closed ?? Promise.resolve()
    this.tenant = of.tenant
    this.trunk = of.trunk
    this.password = of.password
    this.#onLooked = of.onLooked
    this.#onResolved = of.onResolved
    const { trunk } = of
    const sources = trunk.addresses
    this.#networks = networksOf(sources)
    this.#sources = new TrunkSources(
      needs,
      sources.filter((s) => isIP(s) === 0 && !s.includes('/')),
    )
    if (of.replaces !== undefined) this.#takeOver(of.replaces.link)
    const { host, port, transport } = this.#next()
    if (isIP(host) !== 0) this.#addresses = this.#expecting([literal(host, port, transport)])
    if (trunk.register) this.#registration = this.#register()
    void this.#resolve()
    if (trunk.healthSeconds > 0) this.#timer = needs.clock.after(0, () => void this.#probe())
  }

  get id(): string {
    return this.trunk.id
  }
  get state(): 'unknown' | 'up' | 'down' {
    return this.#state
  }
  get inUse(): number {
    return this.#channels.inUse
  }
  get downWhy(): string {
    return this.#troubles().join('; ')
  }
  /** Where requests go first; null while the name has no address. */
  get address(): SendTo | null {
    return this.ways[0] ?? null
  }
  /** Where a call through it is tried, one after the other: what is known to be dead last. */
  get ways(): TrunkAddresses {
    if (this.#dead.size === 0) return this.#addresses.length <= maxWays ? this.#addresses : this.#addresses.slice(0, maxWays)
    const isDead = (way: SendTo): boolean => this.#dead.has(keyOf(way))
    return [...this.#addresses.filter((way) => !isDead(way)), ...this.#addresses.filter(isDead)].slice(0, maxWays)
  }
  get registered(): boolean | null {
    return this.#registration === null ? null : this.#registration.registered
  }
  /** Route of its requests (RFC 3608). */
  get route(): readonly string[] {
    return this.#registration?.serviceRoute ?? []
  }
  /** The domain written in From, To and request URI. */
  get domain(): string {
    return this.trunk.domain
  }

  isFor(trunk: CompiledTrunk, password: string | null): boolean {
    return password === this.password && same(trunk, this.trunk)
  }

  /** Exact addresses from which its calls come. */
  sources(): readonly string[] {
    return [...new Set([...this.trunk.addresses.filter((a) => isIP(a) !== 0), ...this.#sources.addresses()])]
  }
  /** Addresses to which the names that it lists lead now. */
  found(): Iterable<string> {
    return this.#sources.addresses()
  }
  /** Whether its own document lists the address, by itself or in a network. */
  lists(address: string): boolean {
    return isWithin(this.#networks, address)
  }
  isFrom(address: string): boolean {
    return isWithin(this.#networks, address) || this.#sources.has(address)
  }
  hasAddress(address: string, port: number): boolean {
    return this.#addresses.some((a) => a.address === address && a.port === port)
  }

  /** `urgent`: an emergency call, which is tried whatever the limits and the last probe say. */
  blocked(urgent = false): TrunkBlock {
    if (this.#addresses.length === 0) return { why: 'down', detail: `${this.#next().host} has no address` }
    if (urgent) return null
    if (this.#state === 'down') return { why: 'down', detail: this.#downWhy }
    const limit = this.trunk.channels
    if (limit !== null && this.#channels.inUse >= limit) return { why: 'full', detail: `all ${limit} channels are in use` }
    return null
  }

  /** Takes a channel until disposed. */
  take(): Disposable {
    this.#channels.inUse++
    return new Disposal(() => void this.#channels.inUse--)
  }

  /** A call found one way dead, sooner than the next probe would: nobody else waits for it. Without another the trunk is down. */
  foundDead(way: SendTo, why: string): void {
    if (this.trunk.healthSeconds === 0) return
    this.#dead.add(keyOf(way))
    this.#needs.locator.failed?.(way)
    if (this.#addresses.every((each) => this.#dead.has(keyOf(each)))) this.#set('down', why)
  }

  /** Resolves when the registrar has let us go, or does not answer. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
    this.#resolving?.[Symbol.dispose]()
    await this.#registration?.stop()
  }

  /** What is known of the same peer stays known. */
  #takeOver(before: TrunkLink): void {
    const [was, is] = [before.#next(), this.#next()]
    if (was.host !== is.host || was.port !== is.port || was.transport !== is.transport) return
    this.#addresses = before.#addresses
    this.#sources.takeOver(before.#sources)
    this.#state = before.#state
    this.#downWhy = before.#downWhy
    this.#toldDown = before.#toldDown
  }

  #register(): TrunkRegistration {
    const { clock, random, sip } = this.#needs
    const registered = (unregistered: string | null): void => {
      if (this.#closed) return
      this.#unregistered = unregistered
      this.#tellChange()
    }
    return new TrunkRegistration(
      {
        ...{ clock, random, sip },
        addresses: () => this.ways,
        onUp: () => registered(null),
        onDown: (why) => registered(`not registered: ${why}`),
      },
      this.trunk,
      this.password,
    )
  }

  /** Asks at every way, so that one that comes back is noticed though another serves in its place. */
  async #probe(): Promise<void> {
    const troubles = await Promise.all(this.#addresses.slice(0, maxWays).map((way) => this.#ask(way)))
    if (this.#closed) return
    const [first] = troubles
    if (first !== undefined) this.#set(troubles.includes(null) ? 'up' : 'down', first ?? '')
    this.#timer = this.#needs.clock.after(this.trunk.healthSeconds * 1000, () => void this.#probe())
  }

  /** Null when it answers, else what is wrong. */
  async #ask(way: SendTo): Promise<string | null> {
    const host = this.#needs.ourHost(way.address)
    const answer = await this.#needs.sip.request({
      method: 'OPTIONS',
      uri: `sip:${this.domain}`,
      from: `<sip:centrala@${host}>`,
      to: `<sip:${this.domain}>`,
      via: way,
      timeoutMs: probeTimeoutMs,
    })
    const trouble =
      answer.kind === 'unanswered'
        ? answer.detail
        : isAlive(answer.status, this.trunk.healthAnswer)
          ? null
          : `${answer.status} ${answer.reason}`
    if (trouble === null) this.#dead.delete(keyOf(way))
    else this.#dead.add(keyOf(way))
    return trouble
  }

  #set(state: 'up' | 'down', why: string): void {
    // A registrar that comes back may have forgotten us, and need not be awaited any longer.
    if (this.#state === 'down' && state === 'up' && this.#registration?.startOver() === true)
      this.#unregistered ??= 'not registered: the registrar was away'
    this.#downWhy = why
    this.#state = state
    this.#tellChange()
  }

  #troubles(): string[] {
    return [this.#state === 'down' ? this.#downWhy : null, this.#unregistered].filter((why) => why !== null)
  }

  /** The journal hears of the first trouble and of the end of the last. */
  #tellChange(): void {
    const troubles = this.#troubles()
    if (troubles.length > 0 === this.#toldDown) return
    this.#toldDown = troubles.length > 0
    const about = { tenant: this.tenant, trunk: this.id }
    this.#needs.tell(this.#toldDown ? { kind: 'trunk.went-down', ...about, why: troubles.join('; ') } : { kind: 'trunk.went-up', ...about })
  }

  async #resolve(): Promise<void> {
    const looked = this.#sources.look().then(this.#onLooked)
    const [found] = await Promise.all([this.#needs.locator.resolve(this.#next()), looked])
    if (this.#closed) return
    // A name that does not resolve now keeps the addresses it had: a dead resolver must not take a living trunk away.
    if (found.length > 0) {
      this.#addresses = this.#expecting(found)
      const here = new Set(found.map(keyOf))
      for (const dead of this.#dead) if (!here.has(dead)) this.#dead.delete(dead)
    }
    this.#onResolved()
    if (this.#addresses.length > 0) void this.#after.then(() => this.#registration?.reachable())
    this.#resolving = this.#needs.clock.after(resolveEveryMs, () => void this.#resolve())
  }

  #expecting(found: TrunkAddresses): TrunkAddresses {
    const { expects } = this.trunk
    return found.map((each) => (isSecure(each.transport) ? { ...each, expects } : each))
  }

  #next(): Pick<CompiledTrunk, 'host' | 'port' | 'transport'> {
    return this.trunk.outboundProxy ?? this.trunk
  }
}

function literal(address: string, port: number | null, transport: SendTo['transport'] | null): SendTo {
  const chosen = transport ?? 'udp'
  return { transport: chosen, address, port: port ?? defaultPort(chosen) }
}

function keyOf({ transport, address, port }: SendTo): string {
  return `${transport} ${address} ${port}`
}

/** Whether two compilations of a trunk mean the same: then its registration and calls go on. */
function same(a: CompiledTrunk, b: CompiledTrunk): boolean {
  const plain = (_key: string, value: unknown): unknown => (value instanceof Set ? [...value] : value)
  return JSON.stringify(a, plain) === JSON.stringify(b, plain)
}
