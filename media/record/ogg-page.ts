/**
 * Pages of the Ogg container (RFC 3533 §6).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     | capture_pattern: "OggS"                                       | 0-3
 *     | version       | header_type   | granule_position              | 4-7
 *     |                                                               | 8-11
 *     |                               | bitstream_serial_number       | 12-15
 *     |                               | page_sequence_number          | 16-19
 *     |                               | CRC_checksum                  | 20-23
 *     |                               |page_segments  | segment_table | 24-27
 *     | ...                                                           | 28-
 */
export interface OggPage {
  /** Where the page begins in the bytes read, and how long it is with its header. */
  offset: number
  length: number
  flags: number
  /** -1 when no packet ends on the page. */
  granule: number
  serial: number
  sequence: number
  /** Packets that end on this page; the first is only the rest of one when `flags` has `CONTINUED`. */
  packets: Uint8Array[]
  /** The last packet goes on on the next page. */
  unfinished: boolean
}

export const CONTINUED = 1
export const FIRST_PAGE = 2
export const LAST_PAGE = 4

const HEADER_BYTES = 27
const MOST_SEGMENTS = 255
const CAPTURE = [0x4f, 0x67, 0x67, 0x53]

/** Segments that a packet takes (§5: lacing values, the last below 255). */
export function segmentsOf(packetBytes: number): number {
  return Math.floor(packetBytes / 255) + 1
}

/** One page of whole packets; they must fit (at most 255 segments together). */
export function writeOggPage(page: {
  flags: number
  granule: number
  serial: number
  sequence: number
  packets: readonly Uint8Array[]
}): Uint8Array {
  const segments = page.packets.reduce((sum, packet) => sum + segmentsOf(packet.length), 0)
  if (segments > MOST_SEGMENTS) throw new RangeError(`an Ogg page holds ${MOST_SEGMENTS} segments, not ${segments}`)
  const bytes = new Uint8Array(HEADER_BYTES + segments + page.packets.reduce((sum, packet) => sum + packet.length, 0))
  const view = new DataView(bytes.buffer)
  bytes.set(CAPTURE)
  bytes[5] = page.flags
  view.setBigInt64(6, BigInt(page.granule), true)
  view.setUint32(14, page.serial, true)
  view.setUint32(18, page.sequence, true)
  bytes[26] = segments
  let lacing = HEADER_BYTES
  let body = HEADER_BYTES + segments
  for (const packet of page.packets) {
    for (let left = packet.length; left >= 255; left -= 255) bytes[lacing++] = 255
    bytes[lacing++] = packet.length % 255
    bytes.set(packet, body)
    body += packet.length
  }
  view.setUint32(22, checksum(bytes), true)
  return bytes
}

/** Reads the page at `offset`; null when there is none that is whole and sound. */
export function readOggPage(bytes: Uint8Array, offset: number): OggPage | null {
  if (offset + HEADER_BYTES > bytes.length || CAPTURE.some((octet, i) => bytes[offset + i] !== octet) || bytes[offset + 4] !== 0)
    return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lacing = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + (bytes[offset + 26] as number))
  const length = HEADER_BYTES + lacing.length + lacing.reduce((sum, value) => sum + value, 0)
  if (offset + length > bytes.length) return null
  if (checksum(bytes.subarray(offset, offset + length)) !== view.getUint32(offset + 22, true)) return null
  const { packets, unfinished } = split(bytes, offset + HEADER_BYTES + lacing.length, lacing)
  const granule = Number(view.getBigInt64(offset + 6, true))
  const serial = view.getUint32(offset + 14, true)
  return {
    offset,
    length,
    flags: bytes[offset + 5] as number,
    granule,
    serial,
    sequence: view.getUint32(offset + 18, true),
    packets,
    unfinished,
  }
}

/** Every whole page from the beginning, up to the first byte that belongs to none. */
export function* oggPages(bytes: Uint8Array): Generator<OggPage> {
  for (let offset = 0; ; ) {
    const page = readOggPage(bytes, offset)
    if (page === null) return
    yield page
    offset += page.length
  }
}

/** The page again, marked as the last of its logical stream (§6, header_type 0x04). */
export function markLast(bytes: Uint8Array, page: OggPage): Uint8Array {
  const marked = new Uint8Array(bytes.subarray(page.offset, page.offset + page.length))
  marked[5] = page.flags | LAST_PAGE
  new DataView(marked.buffer).setUint32(22, checksum(marked), true)
  return marked
}

function split(bytes: Uint8Array, at: number, lacing: Uint8Array): Pick<OggPage, 'packets' | 'unfinished'> {
  const packets: Uint8Array[] = []
  let start = at
  let end = at
  for (const value of lacing) {
    end += value
    if (value === 255) continue
    packets.push(bytes.subarray(start, end))
    start = end
  }
  return { packets, unfinished: end > start }
}

/** CRC-32 with polynomial 0x04c11db7, nothing reflected, the checksum field taken as zero (§6). */
function checksum(page: Uint8Array): number {
  let crc = 0
  for (let i = 0; i < page.length; i++) {
    const octet = i >= 22 && i < 26 ? 0 : (page[i] as number)
    crc = (crc << 8) ^ (CRC[(crc >>> 24) ^ octet] as number)
  }
  return crc >>> 0
}

const CRC = Int32Array.from({ length: 256 }, (_, octet) => {
  let crc = octet << 24
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  return crc
})
