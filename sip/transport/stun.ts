import { isIPv4 } from 'node:net'

/** Header of a STUN message (RFC 5389 §6): type, length, magic cookie, transaction id. */
const HEADER_BYTES = 20
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const BINDING_ERROR = 0x0111
const MAGIC_COOKIE = 0x2112a442
const XOR_MAPPED_ADDRESS = 0x0020
const ERROR_CODE = 0x0009
const UNKNOWN_ATTRIBUTES = 0x000a
/** Attributes below this must be understood (§15); we need none of them. */
const FIRST_OPTIONAL = 0x8000

/** Whether a datagram is STUN rather than SIP: no SIP message begins with a control character (RFC 5626 §5.4). */
export function isStun(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && (bytes[0] ?? 0xff) < 4
}

/**
 * The answer to a binding request from `source`: where it was seen to come from (RFC 5389 §7.3.1), so that a phone learns that its flow lives
 * and its address translation is the same (RFC 5626 §3.5.2). Null for what is no well-formed binding request: it is dropped.
 */
export function stunAnswer(bytes: Uint8Array, source: { address: string; port: number }): Buffer | null {
  const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isStun(request) || request.readUInt16BE(0) !== BINDING_REQUEST || request.readUInt32BE(4) !== MAGIC_COOKIE) return null
  const unknown = unknownAttributes(request)
  if (unknown === null) return null
  return unknown.length > 0
    ? message(request, BINDING_ERROR, [attribute(ERROR_CODE, errorCode(420)), attribute(UNKNOWN_ATTRIBUTES, list(unknown))])
    : message(request, BINDING_SUCCESS, [attribute(XOR_MAPPED_ADDRESS, xorMapped(request, source))])
}

/** Attributes that must be understood and are not; null when the message is malformed. */
function unknownAttributes(request: Buffer): number[] | null {
  const length = request.readUInt16BE(2)
  if (length % 4 !== 0 || HEADER_BYTES + length !== request.length) return null
  const unknown: number[] = []
  for (let at = HEADER_BYTES; at < request.length; ) {
    if (at + 4 > request.length) return null
    const type = request.readUInt16BE(at)
    if (type < FIRST_OPTIONAL) unknown.push(type)
    at += 4 + padded(request.readUInt16BE(at + 2))
    if (at > request.length) return null
  }
  return unknown
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

/** §15.2: port and address, exclusive-or with the cookie and the transaction id. */
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

/** §15.6. */
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
