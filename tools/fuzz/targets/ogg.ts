import assert from 'node:assert/strict'
import { measureOggOpus, readOggOpus } from '#media/record/ogg-opus.ts'
import { FIRST_PAGE, LAST_PAGE, oggPages, writeOggPage } from '#media/record/ogg-page.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const head = Buffer.concat([Buffer.from('OpusHead'), Buffer.from([1, 1, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0])])
const tags = Buffer.concat([Buffer.from('OpusTags'), Buffer.alloc(8)])
const packets = [Buffer.alloc(30, 1), Buffer.alloc(300, 2), Buffer.alloc(0)]

function file(granule: number): Buffer {
  return Buffer.concat([
    writeOggPage({ flags: FIRST_PAGE, granule: 0, serial: 7, sequence: 0, packets: [head] }),
    writeOggPage({ flags: 0, granule: 0, serial: 7, sequence: 1, packets: [tags] }),
    writeOggPage({ flags: 0, granule, serial: 7, sequence: 2, packets }),
    writeOggPage({ flags: LAST_PAGE, granule: granule + 960, serial: 7, sequence: 3, packets: [Buffer.alloc(255, 3)] }),
  ])
}

/** What a dying process may have left of a recording. Pages are given their right sum again, so that the attack gets behind it. */
export const oggTarget: FuzzTarget = {
  name: 'ogg',
  // Most of it is our own sums.
  limitMs: 30,
  seeds: () => [file(2_880), file(-1), Buffer.concat([file(960), file(960)]), file(2_880).subarray(0, 200)],
  run(input) {
    const bytes = Buffer.from(input)
    mend(bytes)
    let end = 0
    let pages = 0
    for (const page of oggPages(bytes)) {
      assert.equal(page.offset, end)
      end += page.length
      pages++
      for (const packet of page.packets) assert.ok(packet.length <= page.length)
    }
    assert.ok(end <= bytes.length)
    const extent = measureOggOpus(bytes)
    assert.ok(extent.bytes <= end && extent.samples >= 0, `${extent.bytes} bytes, ${extent.samples} samples`)
    const links = readOggOpus(bytes)
    assert.ok(links.every(({ samples }) => samples >= 0))
    return `${Math.min(pages, 5)} ${extent.links} ${links.length} ${Math.min(9, links.flatMap((link) => link.packets).length)}`
  },
}

/** Writes the sum of each page as it is now, page behind page. */
function mend(bytes: Buffer): void {
  for (let at = 0; bytes.toString('latin1', at, at + 4) === 'OggS'; ) {
    const lacing = bytes.subarray(at + 27, at + 27 + (bytes[at + 26] ?? 0))
    const length = 27 + lacing.length + lacing.reduce((sum, value) => sum + value, 0)
    if (at + length > bytes.length) return
    bytes.writeUInt32LE(0, at + 22)
    bytes.writeUInt32LE(sumOf(bytes.subarray(at, at + length)), at + 22)
    at += length
  }
}

/** CRC-32 of RFC 3533 §6, bit by bit: polynomial 0x04c11db7, not reflected. */
function sumOf(bytes: Uint8Array): number {
  let crc = 0
  for (const octet of bytes) {
    crc ^= octet << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  }
  return crc >>> 0
}
