import type { Fact } from '#contract/facts.ts'
import type { Position } from '#server/journal/face.ts'
import type { JournalFiles } from '#server/journal/files.ts'
import type { KeptNumbering } from '#server/journal/numbering.ts'
import { readRecords, type ReadDamage } from '#server/journal/record.ts'

/** One file of the journal: the `number`th of its life, holding the facts from position `first` on. */
export interface Segment {
  readonly name: string
  readonly number: number
  readonly first: Position
}

/** A segment and its file name, `00000012-000000034567.journal`. */
export function segment(number: number, first: Position): Segment {
  return { name: `${String(number).padStart(8, '0')}-${String(first).padStart(12, '0')}.journal`, number, first }
}

/** The segments among the names of a folder, oldest first. */
export function segmentsOf(names: readonly string[]): Segment[] {
  const found: Segment[] = []
  for (const name of names) {
    const match = /^(\d{8,})-(\d{12,})\.journal$/.exec(name)
    if (match !== null) found.push({ name, number: Number(match[1]), first: Number(match[2]) })
  }
  return found.sort((a, b) => a.number - b.number)
}

/** What a segment says from its checkpoint to its last whole record. */
export interface SegmentContent {
  readonly numbering: KeptNumbering
  /** Kept values by key: the line's JSON, `[key, value]`. */
  readonly kept: Map<string, string>
  readonly facts: Fact[]
  readonly drained: Position
  readonly damage: ReadDamage
}

/** Reads a whole segment. Null when its checkpoint is not complete: the process died while it made the file, and nothing in it counts. */
export function readSegment(bytes: Buffer): SegmentContent | null {
  const damage: ReadDamage = { damaged: 0, tornBytes: 0 }
  const kept = new Map<string, string>()
  const facts: Fact[] = []
  let numbering: KeptNumbering | null = null
  let complete = false
  let drained = 0
  for (const { type, json } of readRecords(bytes, damage)) {
    if (type === 'Q') numbering = JSON.parse(json) as KeptNumbering
    else if (type === 'E') complete = true
    else if (type === 'D') drained = Number(json)
    else if (type === 'K') takeKept(kept, json)
    else if (type === 'F') facts.push(JSON.parse(json) as Fact)
  }
  return numbering === null || !complete ? null : { numbering, kept, facts, drained, damage }
}

function takeKept(kept: Map<string, string>, json: string): void {
  const [key, value] = JSON.parse(json) as [string, unknown]
  if (value === null) kept.delete(key)
  else kept.set(key, json)
}

/** How far a file has been read: `position` is that of the last fact before `offset`. */
interface Place {
  segment: Segment
  bytes: Buffer
  offset: number
  position: Position
}

/** Facts read back from the files, for a drain that is behind. Remembers where it is, so that going on is cheap. */
export class SegmentReader {
  #files: JournalFiles
  #current: Place | null = null

  constructor(files: JournalFiles) {
    this.#files = files
  }

  /** JSON of the facts after `after`, up to position `last`, about `maxBytes` of it. `upTo`: where reading came to. */
  async read(
    segments: readonly Segment[],
    range: { after: Position; last: Position; maxBytes: number },
  ): Promise<{ json: string[]; upTo: Position }> {
    const json: string[] = []
    let upTo = range.after
    let bytes = 0
    while (upTo < range.last && bytes < range.maxBytes) {
      const at = await this.#seek(segments, upTo)
      if (at === null) break
      const end = Math.min(range.last, at.lastOfSegment)
      for (const record of readRecords(at.bytes, { damaged: 0, tornBytes: 0 }, at.offset)) {
        if (record.type !== 'F') continue
        at.position++
        at.offset = record.end
        if (at.position <= upTo) continue
        upTo = at.position
        json.push(record.json)
        bytes += record.json.length
        if (upTo >= end || bytes >= range.maxBytes) break
      }
      // Positions that the file does not have (damage, or dropped while the disk refused) are passed over.
      if (upTo < end && bytes < range.maxBytes) upTo = end
    }
    return { json, upTo }
  }

  /** Puts `#current` on the segment that has the fact after `after`, not past it. */
  async #seek(segments: readonly Segment[], after: Position): Promise<(Place & { lastOfSegment: Position }) | null> {
    let index = segments.length - 1
    while (index > 0 && (segments[index]?.first ?? 0) > after + 1) index--
    const wanted = segments[index]
    if (wanted === undefined) return null
    const next = segments[index + 1]
    const known = this.#current?.segment.name === wanted.name && this.#current.position <= after ? this.#current : null
    // The newest file has grown since it was read.
    const at = known !== null && next !== undefined ? known : await this.#load(wanted, known)
    this.#current = at
    return Object.assign(at, { lastOfSegment: next === undefined ? Number.POSITIVE_INFINITY : next.first - 1 })
  }

  async #load(wanted: Segment, known: Place | null): Promise<Place> {
    const bytes = await this.#files.read(wanted.name)
    return { segment: wanted, bytes, offset: known?.offset ?? 0, position: known?.position ?? wanted.first - 1 }
  }
}
