import type { Fact, NewFact } from '#contract/facts.ts'
import { GroupCommit } from '#server/journal/commit.ts'
import type { Journal, JournalHealth, JournalSettings, JournalSlice, OpenCall, Position } from '#server/journal/face.ts'
import { folderFiles, type JournalFiles } from '#server/journal/files.ts'
import type { GroupBytes } from '#server/journal/group-bytes.ts'
import { KeptLines } from '#server/journal/kept-lines.ts'
import { lockFolder } from '#server/journal/lock.ts'
import { Numbering } from '#server/journal/numbering.ts'
import { Publisher } from '#server/journal/publisher.ts'
import { readSegment, SegmentReader, segmentsOf, type Segment, type SegmentContent } from '#server/journal/segment.ts'
import { factsOfOpen } from '#server/journal/inherited.ts'
import { Tail } from '#server/journal/tail.ts'

/** How much of the facts that the database lacks stays in memory. */
const tailBytes = 8 * 1024 * 1024

/**
 * Opens the journal of `settings.folder` and reads back what the process before left. Rejects with `FolderInUseError` when another process
 * has it, and with the file system's error when the folder cannot be used at all.
 */
export async function openJournal(settings: JournalSettings): Promise<Journal> {
  const files = folderFiles(settings.folder)
  await files.list()
  const lock = await lockFolder(settings.folder)
  try {
    return await openJournalOn(files, settings, lock)
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

/** As `openJournal`, over any disk. */
export async function openJournalOn(
  files: JournalFiles,
  settings: Omit<JournalSettings, 'folder'>,
  lock?: AsyncDisposable,
): Promise<Journal> {
  const segments = segmentsOf(await files.list())
  const found = await newestWhole(files, segments)
  const journal = new FileJournal(files, settings, { segments, found, lock })
  // Before the files that the database has been told of are removed.
  await journal.recall()
  await journal.begin()
  return journal
}

interface Inheritance {
  /** Whole segments, oldest first. */
  segments: Segment[]
  found: { segment: Segment; content: SegmentContent } | null
  lock: AsyncDisposable | undefined
}

/** The last segment with a complete checkpoint; half-made ones after it are removed from the folder and from `segments`. */
async function newestWhole(files: JournalFiles, segments: Segment[]): Promise<Inheritance['found']> {
  for (let last = segments.at(-1); last !== undefined; last = segments.at(-1)) {
    const content = readSegment(await files.read(last.name))
    if (content !== null) return { segment: last, content }
    segments.pop()
    await files.remove(last.name)
  }
  return null
}

class FileJournal implements Journal {
  #numbering: Numbering
  #publisher: Publisher
  #commit: GroupCommit
  #files: JournalFiles
  #reader: SegmentReader
  #tail: Tail
  /** The JSON of `K` lines by key: what a checkpoint repeats. */
  #kept = new KeptLines()
  #position: Position
  #drained: Position
  #inherited = new Map<string, Fact[]>()
  #lock: AsyncDisposable | undefined

  constructor(files: JournalFiles, settings: Omit<JournalSettings, 'folder'>, from: Inheritance) {
    const { clock, log } = settings
    this.#files = files
    this.#lock = from.lock
    this.#numbering = new Numbering(clock)
    this.#publisher = new Publisher(log)
    this.#reader = new SegmentReader(files)
    this.#drained = from.found?.content.drained ?? 0
    this.#position = from.found === null ? 0 : from.found.segment.first - 1 + from.found.content.facts.length
    if (from.found !== null) this.#inherit(from.found.content)
    this.#tail = new Tail(this.#position + 1, tailBytes)
    const commitSettings = {
      files,
      clock,
      log,
      segmentBytes: settings.segmentBytes ?? 8 * 1024 * 1024,
      windowMs: settings.windowMs ?? 10,
      idleWindowMs: settings.idleWindowMs ?? 50,
      memoryBytes: settings.memoryBytes ?? 64 * 1024 * 1024,
      onTrouble: settings.onTrouble ?? (() => undefined),
      checkpoint: (next: Segment, group: GroupBytes) => this.#checkpoint(next, group),
    }
    this.#commit = new GroupCommit(commitSettings, from.segments, this.#position)
    const damage = from.found?.content.damage
    if (damage !== undefined && damage.damaged + damage.tornBytes > 0) log.warn('journal has unreadable records', { ...damage })
  }

  get position(): Position {
    return this.#position
  }
  get drained(): Position {
    return this.#drained
  }

  /** Looks for the facts of the calls that are open. */
  async recall(): Promise<void> {
    this.#inherited = await factsOfOpen(this.#files, this.#commit.segments, this.#numbering.open())
  }

  /** Writes the new file of this life, so that nothing is appended after a torn tail. */
  async begin(): Promise<void> {
    await this.#commit.flush()
    await this.#commit.prune(this.#drained)
  }

  append(fact: NewFact): Fact {
    const stamped = this.#numbering.stamp(fact)
    const json = JSON.stringify(stamped)
    this.#position++
    this.#tail.push(stamped, json)
    this.#commit.addFact(json)
    this.#publisher.tell(stamped)
    return stamped
  }

  whenKept(then: () => void): void {
    this.#commit.whenKept(then)
  }

  keep(key: string, value: unknown): void {
    if (value !== null && value !== undefined) this.#commit.addLatest('K', key, () => this.#sayingOf(key, value))
    else if (this.#kept.delete(key)) this.#commit.addLatest('K', key, JSON.stringify([key, null]))
    else this.#commit.dropLatest(key)
  }

  /** What keeps a value; null when it is kept already. */
  #sayingOf(key: string, value: unknown): string | null {
    const json = JSON.stringify([key, value])
    return this.#kept.set(key, json) ? json : null
  }

  kept(prefix: string): Map<string, unknown> {
    this.#commit.makeLines()
    const values = new Map<string, unknown>()
    for (const [key, json] of this.#kept.jsonOf(prefix)) values.set(key, (JSON.parse(json) as [string, unknown])[1])
    return values
  }

  openCalls(): OpenCall[] {
    return this.#numbering.open()
  }

  takeInherited(): Map<string, Fact[]> {
    const inherited = this.#inherited
    this.#inherited = new Map()
    return inherited
  }

  closeLost(call: OpenCall, why: string): void {
    const outcome = { kind: 'failed', by: 'us', detail: why } as const
    const common = { tenant: call.tenant, call: call.call }
    for (const recording of call.recordings) this.append({ kind: 'recording.failed', ...common, recording, why })
    for (const leg of call.legs) this.append({ kind: 'leg.ended', ...common, leg, outcome })
    this.append({ kind: 'call.ended', ...common, outcome })
  }

  continueFrom(tenant: string, call: string | null, seq: number): void {
    this.#numbering.continueFrom(tenant, call, seq)
  }

  subscribe(listener: (fact: Fact) => void): Disposable {
    return this.#publisher.subscribe(listener)
  }

  async read(after: Position, maxBytes: number): Promise<JournalSlice> {
    const near = this.#tail.read(after, maxBytes)
    if (near !== null) return near
    const { json, upTo } = await this.#reader.read(this.#commit.segments, { after, last: this.#commit.durable, maxBytes })
    return { json: Buffer.from(`[${json.join(',')}]`), upTo, facts: json.map((text) => JSON.parse(text) as Fact) }
  }

  acknowledge(upTo: Position): void {
    if (upTo <= this.#drained) return
    this.#drained = upTo
    this.#tail.forgetUpTo(upTo)
    // Lazily: going over a few facts again after a crash is harmless, a flush for every drain is not.
    this.#commit.addLatest('D', '', String(upTo), true)
    void this.#commit.prune(upTo)
  }

  get backlog(): number {
    return this.#commit.state === 'keeping' ? this.#commit.waiting : 0
  }

  health(): JournalHealth {
    const { state, waiting, lost, commits, slowestMs, lastError, segments } = this.#commit
    const undrained = this.#position - this.#drained
    return { state, waiting, lost, undrained, segments: segments.length, commits, slowestCommitMs: slowestMs, lastError }
  }

  async close(): Promise<void> {
    await this.#commit.close()
    await this.#lock?.[Symbol.asyncDispose]()
    this.#lock = undefined
  }

  #inherit(content: SegmentContent): void {
    this.#numbering.fromKept(content.numbering)
    for (const fact of content.facts) this.#numbering.replay(fact)
    for (const [key, json] of content.kept) this.#kept.set(key, json)
  }

  #checkpoint(next: Segment, group: GroupBytes): void {
    group.add('H', JSON.stringify({ journal: 1, number: next.number, first: next.first }))
    group.add('D', String(this.#drained))
    group.add('Q', JSON.stringify(this.#numbering.toKept()))
    this.#kept.addTo(group)
    group.add('E', '{}')
  }
}
