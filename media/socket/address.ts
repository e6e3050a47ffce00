import { isIP, SocketAddress as NodeAddress } from 'node:net'
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

/** `remote` with its address in the one spelling; null when it is no place to send to. */
export function canonicalSocketAddress(remote: SocketAddress | null): SocketAddress | null {
  if (remote === null || !Number.isInteger(remote.port) || remote.port < 1 || remote.port > 65_535) return null
  const address = canonicalAddress(remote.address)
  return address === null ? null : { address, port: remote.port }
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

export function isIpv6(address: string): boolean {
  return address.includes(':')
}
