import { CONTINUED, FIRST_PAGE, LAST_PAGE, type OggPage, oggPages, segmentsOf, writeOggPage } from '#media/record/ogg-page.ts'

/** Granule positions of Ogg Opus always count 48 kHz samples (RFC 7845 §4). */
export const GRANULE_HZ = 48_000

/** A page is finished after so much audio: what a crash can cost. */
const PAGE_GRANULES = GRANULE_HZ

/**
 * Writes one logical stream of Ogg Opus (RFC 7845): gives the bytes to append, page by page. A file is playable up to its
 * last whole page at every moment.
 */
export class OggOpusWriter {
  readonly #serial: number
  readonly #preSkip: number
  #sequence = 0
  #granule = 0
  #pageStart = 0
  #packets: Uint8Array[] = []
  #segments = 0

  /** `preSkip`: samples at 48 kHz that a decoder drops at the beginning: the encoder's look-ahead (§4.2). */
  constructor(stream: { serial: number; preSkip: number }) {
    this.#serial = stream.serial
    this.#preSkip = stream.preSkip
  }

  /** The two header pages (§5.1, §5.2): mono, 8 kHz input. */
  headers(): Uint8Array {
    const head = new Uint8Array(19)
    const view = new DataView(head.buffer)
    new TextEncoder().encodeInto('OpusHead', head)
    head[8] = 1
    head[9] = 1
    view.setUint16(10, this.#preSkip, true)
    view.setUint32(12, 8000, true)
    return joined(this.#page(FIRST_PAGE, 0, [head]), this.#page(0, 0, [tags('Centrala')]))
  }

  /** Takes a packet of so many 48 kHz samples; returns a page when one is full. */
  packet(packet: Uint8Array, granules: number): Uint8Array | null {
    const full = this.#segments + segmentsOf(packet.length) > 255 ? this.flush() : null
    this.#packets.push(packet)
    this.#segments += segmentsOf(packet.length)
    this.#granule += granules
    return full ?? (this.#granule - this.#pageStart >= PAGE_GRANULES ? this.flush() : null)
  }

  /** Finishes the page begun, if any. */
  flush(): Uint8Array | null {
    return this.#packets.length === 0 ? null : this.#finishPage(0, this.#granule)
  }

  /** The last page: `samples` is how many 48 kHz samples the stream holds, after the pre-skip; a decoder drops the rest (§4.4). */
  finish(samples: number): Uint8Array {
    return this.#finishPage(LAST_PAGE, Math.min(this.#granule, samples + this.#preSkip))
  }

  #finishPage(flags: number, granule: number): Uint8Array {
    const page = this.#page(flags, granule, this.#packets)
    this.#packets = []
    this.#segments = 0
    this.#pageStart = this.#granule
    return page
  }

  #page(flags: number, granule: number, packets: readonly Uint8Array[]): Uint8Array {
    return writeOggPage({ flags, granule, serial: this.#serial, sequence: this.#sequence++, packets })
  }
}

/** What is whole in an Ogg Opus file, however it ended. */
export interface OggOpusExtent {
  /** Octets up to the end of the last whole page that a decoder can use; 0 when there is no whole header. */
  bytes: number
  /** 48 kHz samples that play. */
  samples: number
  /** Logical streams, one after another. */
  links: number
  /** The last page kept, null when there is none. */
  lastPage: OggPage | null
}

/** Measures a file that a dying process may have left: any bytes give an extent. */
export function measureOggOpus(bytes: Uint8Array): OggOpusExtent {
  const extent: OggOpusExtent = { bytes: 0, samples: 0, links: 0, lastPage: null }
  let before = 0
  let preSkip = 0
  let pagesOfLink = 0
  for (const page of oggPages(bytes)) {
    if (page.flags & FIRST_PAGE) {
      const head = page.packets[0]
      if (head === undefined || !isOpusHead(head)) break
      preSkip = (head[10] ?? 0) | ((head[11] ?? 0) << 8)
      before = extent.samples
      pagesOfLink = 0
    }
    pagesOfLink++
    if (pagesOfLink < 2) continue
    if (pagesOfLink === 2) extent.links++
    else if (page.granule >= 0) extent.samples = before + Math.max(0, page.granule - preSkip)
    extent.bytes = page.offset + page.length
    extent.lastPage = page
  }
  return extent
}

/** The audio packets of each logical stream of a file, with its pre-skip and length in 48 kHz samples: for players and tests. */
export function readOggOpus(bytes: Uint8Array): { preSkip: number; samples: number; packets: Uint8Array[] }[] {
  const links: { preSkip: number; samples: number; packets: Uint8Array[] }[] = []
  let headers = 0
  for (const page of oggPages(bytes)) {
    // We write no packet over two pages; the rest of one is of no use to a decoder.
    for (const packet of page.flags & CONTINUED ? page.packets.slice(1) : page.packets) {
      if (page.flags & FIRST_PAGE) {
        if (!isOpusHead(packet)) return links
        links.push({ preSkip: (packet[10] ?? 0) | ((packet[11] ?? 0) << 8), samples: 0, packets: [] })
        headers = 1
      } else if (headers++ > 1) links.at(-1)?.packets.push(packet)
    }
    const link = links.at(-1)
    if (link !== undefined && headers > 2 && page.granule >= 0) link.samples = Math.max(0, page.granule - link.preSkip)
  }
  return links
}

function isOpusHead(packet: Uint8Array): boolean {
  return packet.length >= 19 && new TextDecoder('latin1').decode(packet.subarray(0, 8)) === 'OpusHead'
}

/** OpusTags with a vendor and no comments (§5.2). */
function tags(vendor: string): Uint8Array {
  const bytes = new Uint8Array(8 + 4 + vendor.length + 4)
  new TextEncoder().encodeInto(`OpusTags`, bytes)
  new DataView(bytes.buffer).setUint32(8, vendor.length, true)
  new TextEncoder().encodeInto(vendor, bytes.subarray(12))
  return bytes
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length)
  bytes.set(one)
  bytes.set(other, one.length)
  return bytes
}
