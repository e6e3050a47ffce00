import type { SocketAddress } from '#media/engine.ts'
import { addressBytes } from '#media/socket/address.ts'

/** Between whom a packet went. Addresses are IP literals of one family. */
export interface Route {
  from: SocketAddress
  to: SocketAddress
}

const udp = 17
const tcp = 6
const udpHeaderBytes = 8
const tcpHeaderBytes = 20

/** A UDP datagram with its IP header (RFC 791, RFC 8200, RFC 768) as it was on the wire, but for the fields nobody told us: hop limit, identification. */
export function udpPacket(route: Route, payload: Uint8Array): Buffer {
  const segment = Buffer.alloc(udpHeaderBytes + payload.length)
  segment.writeUInt16BE(route.from.port, 0)
  segment.writeUInt16BE(route.to.port, 2)
  segment.writeUInt16BE(segment.length, 4)
  segment.set(payload, udpHeaderBytes)
  return ipPacket(route, udp, { segment, checksumAt: 6 })
}

/** A TCP segment (RFC 9293 §3.1) that carries `payload` as its bytes from `sequence` on. */
export function tcpPacket(route: Route, payload: Uint8Array, at: { sequence: number; acknowledged: number }): Buffer {
  const segment = Buffer.alloc(tcpHeaderBytes + payload.length)
  segment.writeUInt16BE(route.from.port, 0)
  segment.writeUInt16BE(route.to.port, 2)
  segment.writeUInt32BE(at.sequence >>> 0, 4)
  segment.writeUInt32BE(at.acknowledged >>> 0, 8)
  segment[12] = (tcpHeaderBytes / 4) << 4
  // PSH and ACK.
  segment[13] = 0x18
  segment.writeUInt16BE(0xffff, 14)
  segment.set(payload, tcpHeaderBytes)
  return ipPacket(route, tcp, { segment, checksumAt: 16 })
}

function ipPacket(route: Route, protocol: number, { segment, checksumAt }: { segment: Buffer; checksumAt: number }): Buffer {
  const [from, to] = [bytesOf(route.from.address), bytesOf(route.to.address)]
  const isFour = from.length === 4 && to.length === 4
  const [source, target] = isFour ? [from, to] : [mapped(from), mapped(to)]
  const pseudo = sumOf(source) + sumOf(target) + protocol + segment.length
  const sum = checksum(pseudo + sumOf(segment))
  // In UDP, 0 would mean that there is no checksum.
  segment.writeUInt16BE(sum === 0 && protocol === udp ? 0xffff : sum, checksumAt)
  return Buffer.concat([
    isFour ? header4(source, target, { protocol, length: segment.length }) : header6(source, target, { protocol, length: segment.length }),
    segment,
  ])
}

function header4(source: Buffer, target: Buffer, { protocol, length }: { protocol: number; length: number }): Buffer {
  const header = Buffer.alloc(20)
  header[0] = 0x45
  header.writeUInt16BE(header.length + length, 2)
  // Not to be fragmented.
  header.writeUInt16BE(0x4000, 6)
  header[8] = 64
  header[9] = protocol
  source.copy(header, 12)
  target.copy(header, 16)
  header.writeUInt16BE(checksum(sumOf(header)), 10)
  return header
}

function header6(source: Buffer, target: Buffer, { protocol, length }: { protocol: number; length: number }): Buffer {
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header.writeUInt16BE(length, 4)
  header[6] = protocol
  header[7] = 64
  source.copy(header, 8)
  target.copy(header, 24)
  return header
}

/** The sum of 16-bit words (RFC 1071), carries not yet folded in. */
function sumOf(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  return bytes.length % 2 === 0 ? sum : sum + bytes.readUInt8(bytes.length - 1) * 256
}

function checksum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000)
  return ~folded & 0xffff
}

/** An address as bytes; what is none becomes the unspecified address, so that a capture is still made. */
function bytesOf(address: string): Buffer {
  return addressBytes(address) ?? Buffer.alloc(4)
}

/** An IPv4 address where the other one is IPv6 (RFC 4291 §2.5.5.2). */
function mapped(bytes: Buffer): Buffer {
  return bytes.length === 16 ? bytes : Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), bytes])
}
