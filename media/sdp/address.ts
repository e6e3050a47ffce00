/** IP addresses as octets: 4 for IPv4 (also when written as IPv4-mapped IPv6), 16 for IPv6. */
export type IpOctets = readonly number[]

/** `null` for what is not an IP address, such as a host name. Brackets and zones are not part of an address here. */
export function parseIp(text: string): IpOctets | null {
  if (text.length > 45) return null
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Whether two texts name the same address, however written. Names are compared without case. */
export function sameAddress(one: string, other: string): boolean {
  if (one === other) return true
  const [a, b] = [parseIp(one), parseIp(other)]
  if (a === null || b === null) return a === b && one.toLowerCase() === other.toLowerCase()
  return a.length === b.length && a.every((octet, i) => octet === b[i])
}

/** Whether the address lies in a network written as CIDR, or is the address itself. A CIDR that is none holds nothing. */
export function inNetwork(address: IpOctets, cidr: string): boolean {
  const slash = cidr.indexOf('/')
  const network = parseIp(slash < 0 ? cidr : cidr.slice(0, slash))
  if (network === null || network.length !== address.length) return false
  const bits = slash < 0 ? network.length * 8 : Number(cidr.slice(slash + 1))
  if (!Number.isInteger(bits) || bits < 0 || bits > network.length * 8) return false
  return address.every((octet, i) => {
    const mask = (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff
    return (octet & mask) === ((network[i] ?? 0) & mask)
  })
}

/** `0.0.0.0` or `::`: nowhere (in a c= line: old-style hold, RFC 3264 §8.4). */
export function isUnspecified(address: IpOctets): boolean {
  return address.every((octet) => octet === 0)
}

export function isLoopback(address: IpOctets): boolean {
  return inNetwork(address, '127.0.0.0/8') || inNetwork(address, '::1')
}

/** Not reachable from the public internet: private, shared by a carrier, link-local, loopback or unspecified (RFC 6890). */
export function isPrivate(address: IpOctets): boolean {
  return PRIVATE_NETWORKS.some((network) => inNetwork(address, network))
}

const PRIVATE_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
]

function parseIpv4(text: string): number[] | null {
  const octets: number[] = []
  let octet = -1
  for (let i = 0; i <= text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit >= 0 && digit <= 9) {
      // No zero before another digit: some read such an octet as octal.
      if (octet === 0) return null
      octet = octet < 0 ? digit : octet * 10 + digit
      if (octet > 255) return null
    } else {
      if (octet < 0 || (i < text.length && text[i] !== '.')) return null
      octets.push(octet)
      octet = -1
    }
  }
  return octets.length === 4 ? octets : null
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === null || tail === null) return null
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null
  const octets = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  const mapped = octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff
  return mapped ? octets.slice(12) : octets
}

/** Octets of colon-separated groups, the last of which may be a dotted IPv4 address. */
function groups(text: string): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const octets: number[] = []
  for (const [i, part] of parts.entries()) {
    const dotted = i === parts.length - 1 && part.includes('.') ? parseIpv4(part) : null
    if (dotted !== null) octets.push(...dotted)
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) octets.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff)
    else return null
  }
  return octets
}
