import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LAST_PAGE, markLast, oggPages, readOggPage, writeOggPage } from '#media/record/ogg-page.ts'
import { measureOggOpus, OggOpusWriter, readOggOpus } from '#media/record/ogg-opus.ts'

const PACKETS = [Uint8Array.of(1, 2, 3), new Uint8Array(255).fill(7), new Uint8Array(600).fill(9), new Uint8Array(0)]

/** A stream of ten seconds, as the pieces that are appended to the file. */
function stream(serial = 1): { pieces: Uint8Array[]; bytes: Uint8Array } {
  const writer = new OggOpusWriter({ serial, preSkip: 312 })
  const pieces = [writer.headers()]
  for (let i = 0; i < 170; i++) {
    const page = writer.packet(new Uint8Array(90).fill(i), 2880)
    if (page !== null) pieces.push(page)
  }
  pieces.push(writer.finish(10 * 48_000))
  return { pieces, bytes: new Uint8Array(Buffer.concat(pieces)) }
}

test('a page reads as it was written, packets of exactly 255 octets and of none included', () => {
  const page = readOggPage(writeOggPage({ flags: 2, granule: 123_456_789_012, serial: 0xfeedbeef, sequence: 5, packets: PACKETS }), 0)
  assert.ok(page !== null)
  assert.deepEqual(
    { ...page, packets: page.packets.map((packet) => packet.slice()) },
    {
      offset: 0,
      length: 27 + 7 + 858,
      flags: 2,
      granule: 123_456_789_012,
      serial: 0xfeedbeef,
      sequence: 5,
      packets: PACKETS,
      unfinished: false,
    },
  )
})

test('the checksum is the one of RFC 3533: of the known empty page', () => {
  const page = writeOggPage({ flags: 4, granule: 0, serial: 0, sequence: 0, packets: [] })
  assert.equal(page.length, 27)
  // The remainder over a whole page, its checksum in place, is what makes a damaged octet visible.
  for (let i = 0; i < page.length; i++) {
    const damaged = page.slice()
    damaged[i] = (damaged[i] ?? 0) ^ 0x10
    assert.equal(readOggPage(damaged, 0), null, `octet ${i}`)
  }
})

test('a page marked as the last is sound, and differs in nothing else', () => {
  // A Buffer, as files are read: a view somewhere in memory of its own.
  const bytes = Buffer.from(writeOggPage({ flags: 0, granule: 48_000, serial: 3, sequence: 9, packets: PACKETS }))
  const page = readOggPage(bytes, 0)
  assert.ok(page !== null)
  const marked = readOggPage(markLast(bytes, page), 0)
  assert.ok(marked !== null)
  assert.deepEqual(marked.packets, PACKETS)
  assert.deepEqual([marked.flags, marked.granule, marked.serial, marked.sequence], [LAST_PAGE, 48_000, 3, 9])
})

test('a stream has two header pages, a page a second, and ends at its true length', () => {
  const { bytes } = stream()
  const pages = [...oggPages(bytes)]
  assert.deepEqual([pages[0]?.flags, pages[0]?.granule, pages[1]?.granule], [2, 0, 0])
  assert.ok(pages.length >= 12 && pages.length <= 13)
  assert.deepEqual(
    pages.map(({ sequence }) => sequence),
    pages.map((_, i) => i),
  )
  assert.equal(pages.at(-1)?.flags, LAST_PAGE)
  assert.deepEqual(
    readOggOpus(bytes).map(({ preSkip, samples, packets }) => [preSkip, samples, packets.length]),
    [[312, 480_000, 170]],
  )
})

test('cut anywhere, a stream is measured up to its last whole page', () => {
  const { pieces, bytes } = stream()
  const ends = pieces.map((_, i) => pieces.slice(0, i + 1).reduce((sum, piece) => sum + piece.length, 0))
  for (let cut = 0; cut <= bytes.length; cut += 13) {
    const whole = ends.findLast((end) => end <= cut) ?? 0
    assert.equal(measureOggOpus(bytes.subarray(0, cut)).bytes, whole)
  }
})

test('chained streams are measured together', () => {
  const both = new Uint8Array(Buffer.concat([stream(1).bytes, stream(2).bytes]))
  const extent = measureOggOpus(both)
  assert.deepEqual([extent.samples, extent.links, extent.bytes], [960_000, 2, both.length])
})

test('any bytes, and a sound stream with anything in it changed, are read without a throw', () => {
  const { bytes } = stream()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (any) => void [measureOggOpus(any), readOggOpus(any)]))
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ minLength: 1, maxLength: 20 }), (at, change) => {
      const changed = bytes.slice()
      changed.set(change.subarray(0, bytes.length - at), at)
      assert.ok(measureOggOpus(changed).bytes <= changed.length)
      readOggOpus(changed)
    }),
  )
})
