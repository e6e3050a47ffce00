import { crc32 } from 'node:zlib'

/**
 * One line of a journal file: `<CRC-32 of the rest, 8 hex digits> <type><JSON>\n`. JSON holds no raw line feed, so a reader finds its feet
 * again at the next line after any damage, and a person can read the file with the usual tools.
 *
 * Types: `H` head (first line of a file), `Q` numbering of the open calls, `K` a kept value, `E` the end of the head's checkpoint, `F` a fact,
 * `D` how far the database has come.
 */
export type RecordType = 'H' | 'Q' | 'K' | 'E' | 'F' | 'D'

/** The line for one record. */
export function frameRecord(type: RecordType, json: string): string {
  const text = type + json
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}

/** The JSON of a line made by `frameRecord`. */
export function jsonOf(line: string): string {
  return line.slice(JSON_AT, -1)
}

/** Behind the checksum, a space and the type. */
const JSON_AT = 10

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
    const feed = bytes.indexOf(0x0a, start)
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
  if (feed - start < 10 || bytes[start + 8] !== 0x20) return null
  const text = bytes.subarray(start + 9, feed)
  const sum = bytes.toString('latin1', start, start + 8)
  if (!/^[0-9a-f]{8}$/.test(sum) || crc32(text) !== Number.parseInt(sum, 16)) return null
  const type = String.fromCharCode(text[0] ?? 0)
  if (!isRecordType(type)) return null
  return { type, json: text.toString('utf8', 1), end: feed + 1 }
}

function isRecordType(type: string): type is RecordType {
  return 'HQKEFD'.includes(type)
}
