import { isIPv4 } from 'node:net'
import type { HostPort } from '#sip/transport/transport.ts'

/** Header of a STUN message (RFC 8489 §5): type, length, magic cookie, transaction id. */
const HEADER_BYTES = 20
/** Types of binding messages. */
export const BINDING = { request: 0x0001, success: 0x0101, error: 0x0111 } as const
/** Octets of a transaction id; it stands behind the cookie. */
export const TRANSACTION_ID_BYTES = 12
const MAGIC_COOKIE = 0x2112a442
/** Attributes that hold an address: where the sender was seen (§14.1, §14.2), and another address of the server (RFC 5780 §7.4, RFC 3489 §11.2.3). */
export const ADDRESS_ATTRIBUTE = { mapped: 0x0001, xorMapped: 0x0020, other: 0x802c, changed: 0x0005 } as const
const ERROR_CODE = 0x0009
const UNKNOWN_ATTRIBUTES = 0x000a
/** Attributes below this must be understood (§14); we need none of them. */
const FIRST_OPTIONAL = 0x8000

/** Whether a datagram is STUN rather than SIP: no SIP message begins with a control character (RFC 5626 §5.4). */
export function isStun(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && (bytes[0] ?? 0xff) < 4
}

/**
 * The answer to a binding request from `source`: where it was seen to come from (RFC 8489 §6.3.1), so that a phone learns that its flow lives
 * and its address translation is the same (RFC 5626 §3.5.2). Null for what is no well-formed binding request: it is dropped.
 */
export function stunAnswer(bytes: Uint8Array, source: { address: string; port: number }): Buffer | null {
  const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isStun(request) || request.readUInt16BE(0) !== BINDING.request || request.readUInt32BE(4) !== MAGIC_COOKIE) return null
  const attributes = attributesOf(request)
  if (attributes === null) return null
  const unknown = attributes.map(({ type }) => type).filter((type) => type < FIRST_OPTIONAL)
  return unknown.length > 0
    ? message(request, BINDING.error, [attribute(ERROR_CODE, errorCode(420)), attribute(UNKNOWN_ATTRIBUTES, list(unknown))])
    : message(request, BINDING.success, [attribute(ADDRESS_ATTRIBUTE.xorMapped, xorMapped(request, source))])
}

/** A binding request without attributes. `id`: 12 octets in hexadecimal. */
export function bindingRequest(id: string): Buffer {
  const request = Buffer.alloc(HEADER_BYTES)
  request.writeUInt16BE(BINDING.request, 0)
  request.writeUInt32BE(MAGIC_COOKIE, 4)
  request.write(id, 8, 'hex')
  return request
}

/** Where an attribute's value stands in its message. */
export interface Attribute {
  readonly type: number
  readonly from: number
  readonly to: number
}

/** The attributes of a message with a header; null when it is malformed. */
export function attributesOf(message: Buffer): readonly Attribute[] | null {
  const length = message.readUInt16BE(2)
  if (message.readUInt32BE(4) !== MAGIC_COOKIE || length % 4 !== 0 || HEADER_BYTES + length !== message.length) return null
  const attributes: Attribute[] = []
  for (let at = HEADER_BYTES; at < message.length; ) {
    if (at + 4 > message.length) return null
    const to = at + 4 + message.readUInt16BE(at + 2)
    attributes.push({ type: message.readUInt16BE(at), from: at + 4, to })
    at += 4 + padded(to - at - 4)
    if (at > message.length) return null
  }
  return attributes
}

/** The address in an attribute of `ADDRESS_ATTRIBUTE` (§14.1, §14.2); null when it is malformed. */
export function addressOf(message: Buffer, { type, from, to }: Attribute): HostPort | null {
  const octets = Buffer.from(message.subarray(from + 4, to))
  if (octets.length !== (message[from + 1] === 1 ? 4 : message[from + 1] === 2 ? 16 : -1)) return null
  const hidden = type === ADDRESS_ATTRIBUTE.xorMapped
  const port = message.readUInt16BE(from + 2) ^ (hidden ? MAGIC_COOKIE >>> 16 : 0)
  if (hidden) for (const [i, octet] of octets.entries()) octets[i] = octet ^ (message[4 + i] ?? 0)
  const groups = Array.from({ length: octets.length / 2 }, (_, i) => octets.readUInt16BE(2 * i).toString(16))
  const host = octets.length === 4 ? octets.join('.') : new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
  return { host, port }
}

function message(request: Buffer, type: number, attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes)
  const head = Buffer.from(request.subarray(0, HEADER_BYTES))
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(body.length, 2)
  return Buffer.concat([head, body])
}

function attribute(type: number, value: Buffer): Buffer {
  const made = Buffer.alloc(4 + padded(value.length))
  made.writeUInt16BE(type, 0)
  made.writeUInt16BE(value.length, 2)
  value.copy(made, 4)
  return made
}

/** §14.2: port and address, exclusive-or with the cookie and the transaction id. */
function xorMapped(request: Buffer, { address, port }: { address: string; port: number }): Buffer {
  const v4 = isIPv4(address)
  const octets = v4 ? Buffer.from(address.split('.').map(Number)) : v6Octets(address)
  const value = Buffer.alloc(4 + octets.length)
  value[1] = v4 ? 1 : 2
  value.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2)
  for (const [i, octet] of octets.entries()) value[4 + i] = octet ^ (request[4 + i] ?? 0)
  return value
}

function v6Octets(address: string): Buffer {
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::')
  const groups = (text: string): number[] =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          if (!group.includes('.')) return [parseInt(group, 16)]
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
          return [a * 256 + b, c * 256 + d]
        })
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const octets = Buffer.alloc(16)
  for (const [i, group] of front.entries()) octets.writeUInt16BE(group, 2 * i)
  for (const [i, group] of back.entries()) octets.writeUInt16BE(group, 2 * (8 - back.length + i))
  return octets
}

/** §14.8. */
function errorCode(code: number): Buffer {
  return Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from('Unknown Attribute')])
}

function list(types: readonly number[]): Buffer {
  const value = Buffer.alloc(2 * types.length)
  for (const [i, type] of types.entries()) value.writeUInt16BE(type, 2 * i)
  return value
}

function padded(length: number): number {
  return (length + 3) & ~3
}
