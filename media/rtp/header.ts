/**
 * The RTP fixed header (RFC 3550 §5.1):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                           timestamp                           |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |           synchronization source (SSRC) identifier            |
 *     +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 *     |            contributing source (CSRC) identifiers             |
 */
export const RTP_HEADER_BYTES = 12

const VERSION_MASK = 0xc0
const VERSION_2 = 0x80
const PADDING = 0x20
const EXTENSION = 0x10
const CSRC_COUNT = 0x0f
const MARKER = 0x80
const PAYLOAD_TYPE = 0x7f

/** What a packet's header says. One object is read into again and again: nothing is allocated per packet. */
export class RtpHeader {
  payloadType = 0
  marker = false
  sequence = 0
  timestamp = 0
  ssrc = 0
  /** When the packet came, on the engine's clock; set by whoever reads it. */
  arrivedAt = 0
  /** Where the payload begins and ends in the packet: behind CSRCs and extension, before padding. */
  payloadStart = 0
  payloadEnd = 0

  /** Reads the header of `packet` and checks it (RFC 3550 §A.1). False: not RTP; the fields then mean nothing. */
  read(packet: Buffer): boolean {
    const length = packet.length
    if (length < RTP_HEADER_BYTES) return false
    const first = packet[0] as number
    if ((first & VERSION_MASK) !== VERSION_2) return false
    const second = packet[1] as number
    this.payloadType = second & PAYLOAD_TYPE
    this.marker = second >= MARKER
    this.sequence = ((packet[2] as number) << 8) | (packet[3] as number)
    this.timestamp = packet.readUInt32BE(4)
    this.ssrc = packet.readUInt32BE(8)
    this.payloadStart = RTP_HEADER_BYTES
    this.payloadEnd = length
    return first === VERSION_2 || this.#readVariable(packet, first)
  }

  /** CSRCs, extension and padding: rare in telephony. */
  #readVariable(packet: Buffer, first: number): boolean {
    const length = packet.length
    let start = RTP_HEADER_BYTES + (first & CSRC_COUNT) * 4
    if ((first & EXTENSION) !== 0) {
      if (start + 4 > length) return false
      start += 4 + packet.readUInt16BE(start + 2) * 4
    }
    const padding = (first & PADDING) !== 0 ? (packet[length - 1] as number) : 0
    if ((first & PADDING) !== 0 && padding === 0) return false
    this.payloadStart = start
    this.payloadEnd = length - padding
    return start <= this.payloadEnd
  }
}

/** What changes from packet to packet of a stream. */
export type RtpFields = Pick<RtpHeader, 'payloadType' | 'marker' | 'sequence' | 'timestamp'>

/** Writes a fixed header of 12 bytes, without CSRCs, extension or padding, into `packet` from `at`. */
export function writeRtpHeader(packet: Buffer, at: number, ssrc: number, header: RtpFields): void {
  packet[at] = VERSION_2
  packet[at + 1] = header.payloadType | (header.marker ? MARKER : 0)
  packet[at + 2] = header.sequence >> 8
  packet[at + 3] = header.sequence & 0xff
  packet.writeUInt32BE(header.timestamp >>> 0, at + 4)
  packet.writeUInt32BE(ssrc >>> 0, at + 8)
}

/** Whether a datagram on a port that carries both is RTCP: by its second octet (RFC 5761 §4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1]
  return type !== undefined && type >= 192 && type <= 223
}
