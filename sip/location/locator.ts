import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { TransportName } from '#sip/agent.ts'
import type { Dns, NaptrRecord } from '#sip/location/dns.ts'
import { type CacheLimits, DnsRecords } from '#sip/location/records.ts'
import { inSrvOrder } from '#sip/location/srv-order.ts'
import { isIpv4, isIpv6 } from '#sip/message/host.ts'
import { defaultPort, type Destination, isSecure, type LocationQuestion, type Resolver } from '#sip/transport/transport.ts'

/** A dead destination is tried last for so long. */
const DEAD_MS: Millis = 30_000
const MAX_DEAD = 10_000
/** Limits on what one name may lead to; the rest is not tried. */
const MAX_SERVICES = 8
const MAX_TARGETS = 16
const MAX_ADDRESSES = 8
const MAX_DESTINATIONS = 32

/** NAPTR services of RFC 3263 §4.1 and the transport each stands for. */
const SERVICES: Readonly<Record<string, TransportName>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp', 'SIPS+D2T': 'tls' }
/** RFC 3263 §4.1, §4.2: what stands before the domain. WebSocket servers are found by their URL, not by SRV (RFC 7118 §5.4). */
const PREFIXES: Partial<Record<TransportName, string>> = { udp: '_sip._udp.', tcp: '_sip._tcp.', tls: '_sips._tcp.' }

/** A name whose addresses answer for one transport, from SRV; or the host itself. */
interface Target {
  readonly transport: TransportName
  readonly host: string
  readonly port: number
}

/**
 * Where a URI, or a configured peer, is (RFC 3263): which transport, by NAPTR or by which SRV records there are; which hosts and ports, by SRV;
 * which addresses. Over TLS each is expected to show a certificate for the name that was asked about, whatever SRV says (RFC 5922 §4).
 */
export class Locator implements Resolver {
  readonly #clock: Clock
  readonly #random: Random
  readonly #records: DnsRecords
  readonly #deadUntil = new Map<string, Millis>()

  constructor(clock: Clock, random: Random, dns: Dns, limits: Partial<CacheLimits> = {}) {
    this.#clock = clock
    this.#random = random
    this.#records = new DnsRecords(clock, dns, limits)
  }

  async resolve(question: LocationQuestion): Promise<readonly Destination[]> {
    const { host, port, secure = false } = question
    const transport = question.transport ?? (secure ? 'tls' : null)
    if (isLiteral(host)) {
      const chosen = transport ?? 'udp'
      return [expecting(host, { transport: chosen, address: host, port: port ?? defaultPort(chosen) })]
    }
    const targets = port !== null ? [{ transport: transport ?? 'udp', host, port }] : await this.#targets(host, question.transport, secure)
    const found = await Promise.all(targets.slice(0, MAX_TARGETS).map((target) => this.#addresses(target)))
    return this.#livingFirst(
      found
        .flat()
        .slice(0, MAX_DESTINATIONS)
        .map((destination) => expecting(host, destination)),
    )
  }

  failed(destination: Destination): void {
    if (this.#deadUntil.size >= MAX_DEAD) this.#deadUntil.clear()
    this.#deadUntil.set(keyOf(destination), this.#clock.now() + DEAD_MS)
  }

  /** Without a port, NAPTR and SRV say where; a host without either is asked at its default port. */
  async #targets(host: string, transport: TransportName | null, secure: boolean): Promise<Target[]> {
    if (transport !== null) return this.#services(host, transport, `${PREFIXES[transport] ?? ''}${host}`)
    const naptr = await this.#records.of(host, 'NAPTR')
    const usable = servicesOf(naptr).filter(({ transport: each }) => !secure || isSecure(each))
    const services = usable.length > 0 ? usable : guesses(host, secure)
    const found = (await Promise.all(services.map((service) => this.#srv(service)))).flat()
    const fallback: TransportName = secure ? 'tls' : 'udp'
    return found.length > 0 ? available(found) : [{ transport: fallback, host, port: defaultPort(fallback) }]
  }

  async #services(host: string, transport: TransportName, name: string): Promise<Target[]> {
    const found = name === host ? [] : await this.#srv({ transport, name })
    return found.length > 0 ? available(found) : [{ transport, host, port: defaultPort(transport) }]
  }

  async #srv({ transport, name }: { transport: TransportName; name: string }): Promise<Target[]> {
    const records = await this.#records.of(name, 'SRV')
    return inSrvOrder(records, this.#random).map(({ target, port }) => ({ transport, host: target, port }))
  }

  async #addresses({ transport, host, port }: Target): Promise<Destination[]> {
    if (isLiteral(host)) return [{ transport, address: host, port }]
    const [v4, v6] = await Promise.all([this.#records.of(host, 'A'), this.#records.of(host, 'AAAA')])
    return [...v4.slice(0, MAX_ADDRESSES), ...v6.slice(0, MAX_ADDRESSES)].map(({ address }) => ({ transport, address, port }))
  }

  /** RFC 3263 §4.3: what failed a moment ago is not worth a caller's time, unless nothing else is left. */
  #livingFirst(found: readonly Destination[]): readonly Destination[] {
    if (this.#deadUntil.size === 0) return found
    const now = this.#clock.now()
    const isDead = (destination: Destination): boolean => (this.#deadUntil.get(keyOf(destination)) ?? 0) > now
    return [...found.filter((each) => !isDead(each)), ...found.filter(isDead)]
  }
}

interface Service {
  readonly transport: TransportName
  /** Of its SRV records. */
  readonly name: string
}

/** What NAPTR offers and we speak, in its order (RFC 3263 §4.1): rules that end in SRV records, without a rewriting of the URI. */
function servicesOf(records: readonly NaptrRecord[]): Service[] {
  return records
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, regexp, replacement }) => {
      const transport = SERVICES[service.toUpperCase()]
      return flags.toLowerCase() !== 's' || regexp !== '' || replacement === '' || transport === undefined
        ? []
        : [{ transport, name: replacement }]
    })
    .slice(0, MAX_SERVICES)
}

/** Without NAPTR: every transport of ours that has SRV records, the plain ones first as a SIP URI promises no more. */
function guesses(host: string, secure: boolean): Service[] {
  const transports: TransportName[] = secure ? ['tls'] : ['udp', 'tcp', 'tls']
  return transports.map((transport) => ({ transport, name: `${PREFIXES[transport] ?? ''}${host}` }))
}

/** Without those that say the service is decidedly not there (RFC 2782: target `.`). */
function available(targets: readonly Target[]): Target[] {
  return targets.filter(({ host }) => host !== '')
}

function expecting(name: string, destination: Destination): Destination {
  return isSecure(destination.transport) ? { ...destination, expects: { name, trust: 'authorities' } } : destination
}

function isLiteral(host: string): boolean {
  return isIpv4(host) || isIpv6(host)
}

function keyOf({ transport, address, port }: Destination): string {
  return `${transport} ${address} ${port}`
}
