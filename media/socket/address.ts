import { isIP, isIPv4, isIPv6, SocketAddress as NodeAddress } from 'node:net'
import type { SocketAddress } from '#media/engine.ts'

/**
 * The one spelling of an IP address that datagrams come with (RFC 5952 for IPv6), so that addresses compare as strings; an
 * IPv4 address mapped into IPv6 becomes IPv4. null: not an IP address.
 */
export function canonicalAddress(address: string): string | null {
  const family = isIP(address)
  if (family === 0) return null
  if (family === 4) return address
  const [bare = '', zone] = address.split('%')
  const canonical = new NodeAddress({ address: bare, family: 'ipv6' }).address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(canonical)?.[1]
  if (mapped !== undefined) return mapped
  return zone === undefined ? canonical : `${canonical}%${zone}`
}

/** `remote` itself where its address is in the one spelling, else with that; null when it is no place to send to. */
export function canonicalSocketAddress(remote: SocketAddress | null): SocketAddress | null {
  if (remote === null || !Number.isInteger(remote.port) || remote.port < 1 || remote.port > 65_535) return null
  const address = canonicalAddress(remote.address)
  if (address === null) return null
  return address === remote.address ? remote : { address, port: remote.port }
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

export function isIpv6(address: string): boolean {
  return address.includes(':')
}

/** An IP address as 4 or 16 bytes in network order, without its zone. null: it is none. */
export function addressBytes(address: string): Buffer | null {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return null
  const [head = '', tail] = withoutDots(plain).split('::')
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...Array<number>(zeros).fill(0), ...after].slice(0, 8).entries())
    bytes.writeUInt16BE(group, 2 * index)
  return bytes
}

/** `::ffff:192.0.2.1` in hexadecimal groups. */
function withoutDots(address: string): string {
  const dotted = /\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0]
  if (dotted === undefined) return address
  const bytes = Buffer.from(dotted.split('.').map(Number))
  return address.slice(0, -dotted.length) + `${bytes.readUInt16BE(0).toString(16)}:${bytes.readUInt16BE(2).toString(16)}`
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
