/** A report block (RFC 3550 §6.4.1). */
export interface ReportBlock {
  ssrc: number
  fractionLost: number
  /** Signed: duplicates can make it negative. */
  cumulativeLost: number
  highestSequence: number
  jitter: number
  /** Middle 32 bits of the NTP timestamp of our last sender report; 0: none. */
  lastReport: number
  /** Since then, in 1/65536 s. */
  sinceLastReport: number
}

export type RtcpPacket =
  | {
      kind: 'sender-report'
      ssrc: number
      ntpMiddle: number
      rtpTimestamp: number
      packets: number
      octets: number
      reports: ReportBlock[]
    }
  | { kind: 'receiver-report'; ssrc: number; reports: ReportBlock[] }
  | { kind: 'bye'; ssrcs: number[] }
  /** VoIP metrics of an extended report (RFC 3611 §4.7). Rates in 256ths of the packets. */
  | { kind: 'voip-metrics'; ssrc: number; lossRate: number; discardRate: number; roundTripMs: number; endSystemDelayMs: number }
  /** Well-formed, of a type that we do not read: source description, application, feedback. */
  | { kind: 'other'; type: number }

export interface MalformedRtcp {
  kind: 'malformed'
  /** Where in the datagram. */
  offset: number
  expected: string
}

export const SENDER_REPORT = 200
export const RECEIVER_REPORT = 201
export const SOURCE_DESCRIPTION = 202
export const BYE = 203
const EXTENDED_REPORT = 207
const VOIP_METRICS = 7
const VOIP_METRICS_WORDS = 8

const REPORT_BLOCK_BYTES = 24

/** The source whose report a datagram begins with; null when it begins with something else. Says nothing of whether the rest is well-formed. */
export function senderOf(datagram: Buffer): number | null {
  if (datagram.length < 8 || datagram.readUInt8(0) >> 6 !== 2) return null
  const type = datagram.readUInt8(1)
  return type === SENDER_REPORT || type === RECEIVER_REPORT ? datagram.readUInt32BE(4) : null
}

/**
 * Reads a compound packet (RFC 3550 §6.1, §A.2): every part or none. Any bytes give packets or the first rule they break.
 * Reduced-size packets that do not begin with a report (RFC 5506) are taken.
 */
export function parseRtcp(datagram: Buffer): RtcpPacket[] | MalformedRtcp {
  const packets: RtcpPacket[] = []
  let at = 0
  while (at < datagram.length) {
    if (datagram.length - at < 4) return malformed(at, 'a header of 4 octets')
    const first = datagram.readUInt8(at)
    if (first >> 6 !== 2) return malformed(at, 'version 2')
    const end = at + (datagram.readUInt16BE(at + 2) + 1) * 4
    if (end > datagram.length) return malformed(at + 2, 'a length within the datagram')
    const body = unpadded(datagram.subarray(at, end), (first & 0x20) !== 0)
    if (body === null) return malformed(end - 1, 'padding within the packet')
    const packet = readPacket(body, datagram.readUInt8(at + 1), first & 0x1f)
    if (packet === null) return malformed(at, 'as many blocks as are counted')
    packets.push(packet)
    at = end
  }
  return packets.length > 0 ? packets : malformed(0, 'at least one packet')
}

function malformed(offset: number, expected: string): MalformedRtcp {
  return { kind: 'malformed', offset, expected }
}

function unpadded(packet: Buffer, padded: boolean): Buffer | null {
  if (!padded) return packet
  const padding = packet.readUInt8(packet.length - 1)
  return padding === 0 || padding > packet.length - 4 ? null : packet.subarray(0, packet.length - padding)
}

/** null: the packet is too short for what its count says. */
function readPacket(packet: Buffer, type: number, count: number): RtcpPacket | null {
  if (type === SENDER_REPORT) {
    if (packet.length < 28 + count * REPORT_BLOCK_BYTES) return null
    return {
      kind: 'sender-report',
      ssrc: packet.readUInt32BE(4),
      ntpMiddle: packet.readUInt32BE(10),
      rtpTimestamp: packet.readUInt32BE(16),
      packets: packet.readUInt32BE(20),
      octets: packet.readUInt32BE(24),
      reports: readReports(packet, 28, count),
    }
  }
  if (type === RECEIVER_REPORT) {
    if (packet.length < 8 + count * REPORT_BLOCK_BYTES) return null
    return { kind: 'receiver-report', ssrc: packet.readUInt32BE(4), reports: readReports(packet, 8, count) }
  }
  if (type === EXTENDED_REPORT) return readExtended(packet)
  if (type !== BYE) return { kind: 'other', type }
  if (packet.length < 4 + count * 4) return null
  return { kind: 'bye', ssrcs: Array.from({ length: count }, (_, i) => packet.readUInt32BE(4 + i * 4)) }
}

/** Blocks of an extended report follow each other behind its SSRC; the first with VoIP metrics is read (RFC 3611 §3). null: one is longer than the packet. */
function readExtended(packet: Buffer): RtcpPacket | null {
  for (let at = 8; at + 4 <= packet.length; ) {
    const words = packet.readUInt16BE(at + 2)
    const end = at + 4 + words * 4
    if (end > packet.length) return null
    if (packet.readUInt8(at) === VOIP_METRICS && words === VOIP_METRICS_WORDS)
      return {
        kind: 'voip-metrics',
        ssrc: packet.readUInt32BE(at + 4),
        lossRate: packet.readUInt8(at + 8),
        discardRate: packet.readUInt8(at + 9),
        roundTripMs: packet.readUInt16BE(at + 16),
        endSystemDelayMs: packet.readUInt16BE(at + 18),
      }
    at = end
  }
  return { kind: 'other', type: EXTENDED_REPORT }
}

function readReports(packet: Buffer, from: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const at = from + i * REPORT_BLOCK_BYTES
    return {
      ssrc: packet.readUInt32BE(at),
      fractionLost: packet.readUInt8(at + 4),
      cumulativeLost: packet.readIntBE(at + 5, 3),
      highestSequence: packet.readUInt32BE(at + 8),
      jitter: packet.readUInt32BE(at + 12),
      lastReport: packet.readUInt32BE(at + 16),
      sinceLastReport: packet.readUInt32BE(at + 20),
    }
  })
}
