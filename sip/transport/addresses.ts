import { readFileSync } from 'node:fs'
import { BlockList, isIP, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Clock, Millis } from '#base/clock.ts'

/** How the world sees us. */
export interface Reach {
  /** IP literal that peers outside the local networks reach us at (the NAT's outer address); absent: they see what we see. */
  publicAddress?: string | undefined
  /** Networks in CIDR form whose hosts reach us directly. Default: the private ranges of RFC 1918, RFC 4193 and link-local. Loopback always counts. */
  localNetworks?: readonly string[] | undefined
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']
const REFRESH_MS: Millis = 30_000
const MAX_REMEMBERED = 10_000

/** Which of our addresses a peer sees. */
export class Addresses {
  readonly #clock: Clock
  readonly #publicAddress: string | null
  readonly #local = new BlockList()
  /** Our address towards a remote one: looked up rarely, asked for each message. */
  readonly #towards = new Map<string, string>()
  #refreshedAt: Millis = Number.NEGATIVE_INFINITY

  /** Throws on a malformed network or address: they come from a configuration that was checked. */
  constructor(clock: Clock, reach: Reach) {
    this.#clock = clock
    this.#publicAddress = reach.publicAddress ?? null
    if (this.#publicAddress !== null && isIP(this.#publicAddress) === 0) throw new TypeError(`not an IP address: ${this.#publicAddress}`)
    for (const network of ['127.0.0.0/8', '::1/128', ...(reach.localNetworks ?? PRIVATE)]) addNetwork(this.#local, network)
  }

  /** What a peer should be told: the public address outside the local networks, else the one packets to it leave from. `bound`: the socket's own, wildcards included. */
  advertisedTo(remote: string, bound: string): string {
    const ours = this.#publicAddress
    if (ours !== null && isIPv4(ours) === isIPv4(remote) && !this.isLocal(remote)) return ours
    return this.sourceTowards(remote, bound)
  }

  isLocal(address: string): boolean {
    return this.#local.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  }

  /** The address packets to `remote` leave from: the socket's own unless it is a wildcard. */
  sourceTowards(remote: string, bound: string): string {
    if (!isWildcard(bound)) return bound
    const now = this.#clock.now()
    if (now - this.#refreshedAt > REFRESH_MS || this.#towards.size > MAX_REMEMBERED) {
      this.#towards.clear()
      this.#refreshedAt = now
    }
    let source = this.#towards.get(remote)
    if (source === undefined) this.#towards.set(remote, (source = findSource(remote) ?? bound))
    return source
  }
}

/** True for 0.0.0.0 and ::. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', bits = ''] = network.split('/')
  const family = isIP(address)
  const prefix = /^[0-9]{1,3}$/.test(bits) ? Number(bits) : -1
  if (family === 0 || prefix < 0 || prefix > (family === 4 ? 32 : 128)) throw new TypeError(`not a network in CIDR form: ${network}`)
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
}

/** The interface whose network holds `remote`, else the one with the default route, else the first that leads outside. */
function findSource(remote: string): string | null {
  const family = isIPv4(remote) ? 'IPv4' : 'IPv6'
  const ours = Object.entries(networkInterfaces()).flatMap(([name, list]) => (list ?? []).map((entry) => ({ ...entry, name })))
  const candidates = ours.filter((entry) => entry.family === family && !entry.address.startsWith('fe80:'))
  const near = candidates.find(({ cidr }) => cidr !== null && holds(cidr, remote))
  if (near !== undefined) return near.address
  const outside = candidates.filter((entry) => !entry.internal)
  const route = defaultInterface(family)
  return (outside.find((entry) => entry.name === route) ?? outside[0] ?? candidates[0])?.address ?? null
}

function holds(cidr: string, address: string): boolean {
  const list = new BlockList()
  addNetwork(list, cidr)
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** The interface of the default route as Linux lists it; null elsewhere. */
function defaultInterface(family: 'IPv4' | 'IPv6'): string | null {
  try {
    if (family === 'IPv4') {
      const lines = readFileSync('/proc/net/route', 'utf8').split('\n')
      return lines.find((line) => line.split('\t')[1] === '00000000')?.split('\t')[0] ?? null
    }
    const lines = readFileSync('/proc/net/ipv6_route', 'utf8').split('\n')
    const route = lines.find((line) => /^0{32} 00 /.test(line) && !line.endsWith(' lo'))
    return route?.trim().split(/\s+/).at(-1) ?? null
  } catch {
    return null
  }
}
