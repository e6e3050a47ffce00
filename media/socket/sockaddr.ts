import { networkInterfaces } from 'node:os'
import type { SocketAddress } from '#media/engine.ts'
import { addressBytes, canonicalAddress } from '#media/socket/address.ts'

/**
 * Socket addresses as Linux has them in memory (ip(7), ipv6(7)), the same on x86-64 and arm64: the family in the machine's order, both of
 * which are little-endian, port and address in the network's.
 *
 *     sockaddr_in     family 2, port 2, address 4, nothing 8
 *     sockaddr_in6    family 2, port 2, flow 4, address 16, scope 4
 */
export const AF_INET = 2
export const AF_INET6 = 10
/** Room for either. */
export const SOCKADDR_BYTES = 28
const SOCKADDR_IN_BYTES = 16

/** Writes an address to the beginning of `room`. How many bytes it takes; 0: it is none that a socket could be given. */
export function writeSockaddr(room: Buffer, { address, port }: SocketAddress): number {
  const bytes = bytesOf(address)
  if (bytes === null || !Number.isInteger(port) || port < 0 || port > 65_535) return 0
  room[0] = bytes.length === 4 ? AF_INET : AF_INET6
  room[1] = 0
  room[2] = port >> 8
  room[3] = port & 0xff
  if (bytes.length === 4) {
    // Byte by byte: a call to copy them would cost more than they do.
    for (let i = 0; i < 4; i++) room[4 + i] = bytes[i] ?? 0
    for (let i = 8; i < SOCKADDR_IN_BYTES; i++) room[i] = 0
    return SOCKADDR_IN_BYTES
  }
  room.fill(0, 4, 8)
  bytes.copy(room, 8)
  room.writeUInt32LE(scopeOf(address), 24)
  return SOCKADDR_BYTES
}

/** Addresses met lately: every call has its peers' several times. */
const known = new Map<string, Buffer | null>()
const MOST_KNOWN = 1000

function bytesOf(address: string): Buffer | null {
  let bytes = known.get(address)
  if (bytes !== undefined) return bytes
  bytes = addressBytes(address)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(address, bytes)
  return bytes
}

/** The address at the beginning of `room`, canonical (see canonicalAddress). null: of another family. */
export function readSockaddr(room: Buffer): SocketAddress | null {
  const family = room.readUInt16LE(0)
  const port = room.readUInt16BE(2)
  if (family === AF_INET) return { address: ipv4Text(room.readInt32LE(4)), port }
  if (family !== AF_INET6) return null
  const groups = Array.from({ length: 8 }, (_, index) => room.readUInt16BE(8 + 2 * index).toString(16))
  const address = canonicalAddress(groups.join(':') + zoneOf(room.readUInt32LE(24)))
  return address === null ? null : { address, port }
}

/** Texts of addresses met lately, so that each comes as the same text: who looks for it in a table need not have it entered there anew. */
const texts = new Map<number, string>()
const MOST_TEXTS = 10_000

/** `word`: the four bytes as they lie in memory, little-endian. */
export function ipv4Text(word: number): string {
  const text = texts.get(word)
  if (text !== undefined) return text
  const fresh = `${word & 0xff}.${(word >> 8) & 0xff}.${(word >> 16) & 0xff}.${word >>> 24}`
  if (texts.size >= MOST_TEXTS) texts.clear()
  texts.set(word, fresh)
  return fresh
}

/** The number of the interface that an address names behind `%`, by name or number; 0: none. */
function scopeOf(address: string): number {
  const [, zone] = address.split('%')
  if (zone === undefined) return 0
  if (/^\d{1,9}$/.test(zone)) return Number(zone)
  return networkInterfaces()[zone]?.find(({ scopeid }) => scopeid !== undefined && scopeid > 0)?.scopeid ?? 0
}

function zoneOf(scope: number): string {
  if (scope === 0) return ''
  const named = Object.entries(networkInterfaces()).find(([, list]) => list?.some(({ scopeid }) => scopeid === scope))
  return `%${named?.[0] ?? scope}`
}
