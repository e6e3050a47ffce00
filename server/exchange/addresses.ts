import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { RecentMap } from '#base/recent-map.ts'
import type { Addresses } from '#calls/needs.ts'
import { isWithin, networksOf } from '#server/trunks/networks.ts'

export interface AddressSettings {
  publicAddress: string | null
  localNetworks: readonly string[]
  /** The address of ours that packets to `remote` leave from. */
  towards: (remote: string) => string
}

/** Of so many addresses it is known whether they are local: each call asks for two, again and again. */
const REMEMBERED = 1_000
const loopback = networksOf(['127.0.0.0/8', '::1'])

/** Which address of ours a peer is given for its audio: the public one outside the local networks, else the one it reaches us at. */
export function mediaAddresses(
  settings: AddressSettings,
): Addresses & { isLocal: (address: string) => boolean; isOurs: (host: string) => boolean } {
  const local = networksOf(settings.localNetworks)
  const known = new RecentMap<boolean>(REMEMBERED)
  const isLocal = (address: string): boolean => {
    const told = known.get(address)
    if (told !== undefined) return told
    const is = isWithin(loopback, address) || isWithin(local, address)
    known.set(address, is)
    return is
  }
  return {
    localNetworks: settings.localNetworks,
    isLocal,
    isOurs: (host) => host === settings.publicAddress || (isIP(host) !== 0 && ownAddresses().has(host)),
    media(remote, bound) {
      if (settings.publicAddress !== null && !isLocal(remote)) return settings.publicAddress
      return isWildcard(bound) ? settings.towards(remote) : bound
    },
  }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** Addresses of this machine's interfaces, now. */
export function ownAddresses(): Set<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address)))
}
