import { BlockList, isIP, isIPv4 } from 'node:net'

/** A set of addresses and networks (`203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`). Names and nonsense in the list are left out. */
export function networksOf(list: readonly string[]): BlockList {
  const set = new BlockList()
  for (const entry of list) {
    const [address = '', bits] = entry.split('/')
    if (isIP(address) === 0) continue
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (bits === undefined) set.addAddress(address, family)
    else if (Number(bits) <= (family === 'ipv4' ? 32 : 128)) set.addSubnet(address, Number(bits), family)
  }
  return set
}

export function isWithin(set: BlockList, address: string): boolean {
  const kind = isIP(address)
  return kind !== 0 && set.check(address, kind === 4 ? 'ipv4' : 'ipv6')
}

/** Whether two sources of calls, each an address, a network or a name, have an address in common; names by their letters. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [baseOf(one), baseOf(other)]
  if (isIP(a) === 0 || isIP(b) === 0) return one.toLowerCase() === other.toLowerCase()
  return isWithin(networksOf([one]), b) || isWithin(networksOf([other]), a)
}

function baseOf(source: string): string {
  return source.split('/')[0] ?? ''
}
