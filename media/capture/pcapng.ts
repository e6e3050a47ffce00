/**
 * Captures in the pcapng format (draft-ietf-opsawg-pcapng), one section, one interface of raw IP packets (LINKTYPE_RAW, 101), instants in
 * microseconds: what Wireshark, tshark and tcpdump read.
 */

/** One packet of a capture. */
export interface CapturedPacket {
  /** Milliseconds since the Unix epoch, fractions included. */
  at: number
  /** From the IP header on; may be shorter than it was. */
  bytes: Uint8Array
  /** Its length on the wire, bytes. */
  wireBytes: number
  comment?: string
}

const sectionHeader = 0x0a0d0d0a
const interfaceDescription = 1
const enhancedPacket = 6
const byteOrderMagic = 0x1a2b3c4d
const rawIp = 101
const optComment = 1
/** More than any IP packet has. */
const snapBytes = 262_144

/** What a capture begins with. */
export function pcapngHeader(): Buffer {
  const section = Buffer.alloc(16)
  section.writeUInt32LE(byteOrderMagic, 0)
  section.writeUInt16LE(1, 4)
  // The section's length is not known when it begins: -1.
  section.fill(0xff, 8, 16)
  const face = Buffer.alloc(8)
  face.writeUInt16LE(rawIp, 0)
  face.writeUInt32LE(snapBytes, 4)
  return Buffer.concat([block(sectionHeader, section), block(interfaceDescription, face)])
}

/** One packet as a block of the file. */
export function packetBlock({ at, bytes, wireBytes, comment }: CapturedPacket): Buffer {
  const options = comment === undefined ? Buffer.alloc(0) : commentOption(comment)
  const body = Buffer.alloc(20 + padded(bytes.length) + options.length)
  const micros = BigInt(Math.round(at * 1_000))
  body.writeUInt32LE(Number(micros >> 32n), 4)
  body.writeUInt32LE(Number(micros & 0xffff_ffffn), 8)
  body.writeUInt32LE(bytes.length, 12)
  body.writeUInt32LE(wireBytes, 16)
  body.set(bytes, 20)
  options.copy(body, 20 + padded(bytes.length))
  return block(enhancedPacket, body)
}

/** The packets of a capture that we wrote, up to where it is whole: a process that died may have left half a block. Anything else gives none. */
export function readPcapng(file: Buffer): CapturedPacket[] {
  const packets: CapturedPacket[] = []
  for (let at = 0; at + 12 <= file.length; ) {
    const length = file.readUInt32LE(at + 4)
    if (length < 12 || length % 4 !== 0 || at + length > file.length || file.readUInt32LE(at + length - 4) !== length) break
    const kind = file.readUInt32LE(at)
    if (at === 0 && (kind !== sectionHeader || file.readUInt32LE(8) !== byteOrderMagic)) break
    const packet = kind === enhancedPacket ? packetIn(file.subarray(at + 8, at + length - 4)) : null
    if (packet !== null) packets.push(packet)
    at += length
  }
  return packets
}

function packetIn(body: Buffer): CapturedPacket | null {
  if (body.length < 20) return null
  const captured = body.readUInt32LE(12)
  if (20 + captured > body.length) return null
  const micros = (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8))
  return { at: Number(micros) / 1_000, bytes: body.subarray(20, 20 + captured), wireBytes: body.readUInt32LE(16) }
}

function block(kind: number, body: Buffer): Buffer {
  const whole = Buffer.alloc(12 + padded(body.length))
  whole.writeUInt32LE(kind, 0)
  whole.writeUInt32LE(whole.length, 4)
  body.copy(whole, 8)
  whole.writeUInt32LE(whole.length, whole.length - 4)
  return whole
}

/** A comment and the end of options. */
function commentOption(comment: string): Buffer {
  const text = Buffer.from(comment).subarray(0, 0xffff)
  const option = Buffer.alloc(4 + padded(text.length) + 4)
  option.writeUInt16LE(optComment, 0)
  option.writeUInt16LE(text.length, 2)
  text.copy(option, 4)
  return option
}

/** Blocks and options are filled up to 32 bits. */
function padded(bytes: number): number {
  return (bytes + 3) & ~3
}
