import { crc32 } from 'node:zlib'

/**
 * One line of a journal file: `<CRC-32 of the rest, 8 hex digits> <type><JSON>\n`. JSON holds no raw line feed, so a reader finds its feet
 * again at the next line after any damage, and a person can read the file with the usual tools.
 *
 * Types: `H` head (first line of a file), `Q` numbering of the open calls, `K` a kept value, `E` the end of the head's checkpoint, `F` a fact,
 * `D` how far the database has come.
 */
export type RecordType = 'H' | 'Q' | 'K' | 'E' | 'F' | 'D'

const HEX = '0123456789abcdef'
const SUM_DIGITS = 8
/** Behind the checksum and a space. */
const TYPE_AT = SUM_DIGITS + 1
const SPACE = 0x20
const LINE_FEED = 0x0a
/** Where the JSON of a line begins. */
export const JSON_AT = TYPE_AT + 1
/** Bytes of a line that are not its JSON. */
export const AROUND_JSON = JSON_AT + 1
/** Bytes of UTF-8 for one unit of UTF-16. */
export const MOST_PER_UNIT = 3

/**
 * Makes a line of the JSON that lies in `room` from `start + JSON_AT` to `end`: writes what is before and behind it. Returns where the line ends.
 */
export function closeRecord(room: Buffer, start: number, type: RecordType, end: number): number {
  room[start + TYPE_AT] = type.charCodeAt(0)
  room[start + TYPE_AT - 1] = SPACE
  const sum = crc32(room.subarray(start + TYPE_AT, end))
  for (let digit = 0; digit < SUM_DIGITS; digit++) room[start + digit] = HEX.charCodeAt((sum >>> (28 - digit * 4)) & 15)
  room[end] = LINE_FEED
  return end + 1
}

/** A readable record, and where its line ends. */
export interface ReadRecord {
  readonly type: RecordType
  readonly json: string
  /** Offset after its line feed. */
  readonly end: number
}

/** What a pass over bytes found beside the records. */
export interface ReadDamage {
  /** Whole lines that fail their checksum. */
  damaged: number
  /** Bytes after the last line feed: a write that was cut off. */
  tornBytes: number
}

/** The readable records of `bytes`, in order, from `offset`. Total: damaged lines are counted in `damage` and passed over. */
export function* readRecords(bytes: Buffer, damage: ReadDamage, offset = 0): Generator<ReadRecord> {
  let start = offset
  for (;;) {
    const feed = bytes.indexOf(LINE_FEED, start)
    if (feed === -1) {
      damage.tornBytes = bytes.length - start
      return
    }
    const record = readLine(bytes, start, feed)
    if (record === null) damage.damaged++
    else yield record
    start = feed + 1
  }
}

function readLine(bytes: Buffer, start: number, feed: number): ReadRecord | null {
  if (feed - start < JSON_AT || bytes[start + SUM_DIGITS] !== SPACE) return null
  const text = bytes.subarray(start + TYPE_AT, feed)
  const sum = bytes.toString('latin1', start, start + SUM_DIGITS)
  if (!/^[0-9a-f]{8}$/.test(sum) || crc32(text) !== Number.parseInt(sum, 16)) return null
  const type = String.fromCharCode(text[0] ?? 0)
  if (!isRecordType(type)) return null
  return { type, json: text.toString('utf8', 1), end: feed + 1 }
}

function isRecordType(type: string): type is RecordType {
  return 'HQKEFD'.includes(type)
}
