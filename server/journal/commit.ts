import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Position } from '#server/journal/face.ts'
import type { JournalFile, JournalFiles } from '#server/journal/files.ts'
import { FlushWindow } from '#server/journal/flush-window.ts'
import { GroupBytes } from '#server/journal/group-bytes.ts'
import { LatestLines, type Saying } from '#server/journal/latest-lines.ts'
import type { RecordType } from '#server/journal/record.ts'
import { segment, type Segment } from '#server/journal/segment.ts'

/** After a refusal by the disk, the next try. */
const retryMs: Millis = 1_000
/** A flush that takes longer than this no longer holds up calls. */
const patienceMs: Millis = 2_000

export interface CommitSettings {
  readonly files: JournalFiles
  readonly clock: Clock
  readonly log: Log
  readonly segmentBytes: number
  readonly windowMs: Millis
  readonly idleWindowMs: Millis
  readonly memoryBytes: number
  readonly onTrouble: (trouble: { refusing: boolean; detail: string }) => void
  /** Adds the lines at the head of a new file: everything that outlives its predecessors. */
  readonly checkpoint: (next: Segment, group: GroupBytes) => void
}

/**
 * Brings lines to the disk in groups: one write and one fdatasync at a time in the thread pool, while the next group gathers. A refusing disk
 * holds up nobody: the lines wait in memory, bounded, and are tried again every second.
 */
export class GroupCommit {
  readonly segments: Segment[]
  commits = 0
  lost = 0
  lastError: string | null = null
  /** Position of the last fact known to be on disk. */
  durable: Position
  #settings: CommitSettings
  #file: JournalFile | null = null
  #fileBytes = 0
  /** How far into the file a group has come that the disk refused, at most. */
  #triedTo = 0
  /** Bytes after which the next flush begins a new file: never less than four checkpoints. */
  #rotateAt = 0
  #mustRotate = true
  readonly #bytes = new GroupBytes()
  /** JSON of the facts that wait. */
  #facts: string[] = []
  #others = new LatestLines()
  #pendingBytes = 0
  #waiters: (() => void)[] = []
  #flying: (() => void)[] | null = null
  #run: Promise<void> | null = null
  #timer: { due: Millis; handle: Disposable } | null = null
  readonly #window: FlushWindow
  #state: 'keeping' | 'failing' | 'closed' = 'keeping'
  #recent: Millis[] = []

  constructor(settings: CommitSettings, segments: Segment[], durable: Position) {
    this.#settings = settings
    this.segments = segments
    this.durable = durable
    this.#window = new FlushWindow(settings.clock, settings.windowMs)
  }

  get state(): 'keeping' | 'failing' | 'closed' {
    return this.#state
  }
  get waiting(): number {
    return this.#facts.length + this.#others.size
  }
  get slowestMs(): Millis {
    return Math.max(0, ...this.#recent)
  }

  addFact(json: string): void {
    this.#facts.push(json)
    this.#pendingBytes += json.length
    if (this.#pendingBytes > this.#settings.memoryBytes) this.#drop()
    this.#schedule(this.#settings.idleWindowMs)
  }

  /** A line of which only the latest under `key` matters: what is overtaken within a group is never made. */
  addLatest(type: RecordType, key: string, json: Saying, lazily = false): void {
    this.#others.say(type, key, json)
    if (!lazily) this.#schedule(this.#settings.idleWindowMs)
  }

  /** Takes back a line that is not made yet. */
  dropLatest(key: string): void {
    this.#others.takeBack(key)
  }

  /** Makes the lines that wait to be made. */
  makeLines(): void {
    this.#others.make()
  }

  whenKept(then: () => void): void {
    if (this.#state !== 'keeping') then()
    else if (this.waiting > 0) {
      this.#waiters.push(then)
      this.#schedule(this.#window.ahead())
    } else if (this.#flying !== null) this.#flying.push(then)
    else then()
  }

  /** Brings what waits to the disk now. Resolves when tried. */
  async flush(): Promise<void> {
    await this.#run
    if (this.waiting > 0 || this.#mustRotate) await this.#start()
  }

  /** Forgets files that hold nothing after `drained`. */
  async prune(drained: Position): Promise<void> {
    for (;;) {
      const [oldest, next] = this.segments
      if (oldest === undefined || next === undefined || next.first - 1 > drained) return
      this.segments.shift()
      await this.#settings.files
        .remove(oldest.name)
        .catch((error: unknown) => this.#settings.log.warn('journal file not removed', { file: oldest.name, error: String(error) }))
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    await this.flush()
    this.#state = 'closed'
    this.#timer?.handle[Symbol.dispose]()
    this.#release()
    await this.#file?.close().catch(() => undefined)
  }

  #schedule(inMs: Millis): void {
    if (this.#run !== null || this.#state === 'closed') return
    const delay = this.#state === 'failing' ? retryMs : inMs
    const due = this.#settings.clock.now() + delay
    if (this.#timer !== null) {
      if (this.#timer.due <= due) return
      this.#timer.handle[Symbol.dispose]()
    }
    this.#timer = { due, handle: this.#settings.clock.after(delay, () => void this.#start()) }
  }

  #start(): Promise<void> {
    this.#timer?.handle[Symbol.dispose]()
    this.#timer = null
    this.#run ??= this.#flushOnce().finally(() => {
      this.#run = null
      if (this.#waiters.length > 0) this.#schedule(this.#window.ahead())
      else if (this.waiting > 0) this.#schedule(this.#settings.idleWindowMs)
    })
    return this.#run
  }

  async #flushOnce(): Promise<void> {
    const { clock } = this.#settings
    const started = this.#window.flushing(this.#waiters.length)
    this.makeLines()
    const facts = this.#facts
    const others = this.#others
    this.#flying = this.#waiters
    this.#facts = []
    this.#others = new LatestLines()
    this.#pendingBytes = 0
    this.#waiters = []
    using _patience = clock.after(patienceMs, () => this.#trouble('the disk does not answer'))
    try {
      await this.#write(facts, others)
      this.durable += facts.length
      this.commits++
      this.#recovered()
    } catch (error) {
      this.#facts = facts.concat(this.#facts)
      others.takeLater(this.#others)
      this.#others = others
      this.#pendingBytes = this.#facts.reduce((sum, json) => sum + json.length, 0)
      if (this.#pendingBytes > this.#settings.memoryBytes) this.#drop()
      this.#trouble(error instanceof Error ? error.message : String(error))
    }
    this.#recent.push(clock.now() - started)
    if (this.#recent.length > 100) this.#recent.shift()
    this.#release()
  }

  async #write(facts: string[], others: LatestLines): Promise<void> {
    const rotating = this.#mustRotate || this.#file === null || this.#fileBytes >= this.#rotateAt
    if (rotating) return this.#writeNewFile(facts)
    const group = this.#bytes.begin()
    for (const json of facts) group.add('F', json)
    // What a full disk took of a longer group would stand behind this one, and be read.
    others.addTo(group, this.#triedTo - this.#fileBytes)
    const bytes = group.end()
    if (bytes.length === 0) return
    this.#triedTo = this.#fileBytes + bytes.length
    try {
      await this.#file?.write(bytes, this.#fileBytes)
    } catch (error) {
      // After a failed sync the kernel may have dropped what it held: only a full disk is safe to try again in the same file.
      if (!isFull(error)) this.#mustRotate = true
      throw error
    }
    this.#fileBytes += bytes.length
  }

  async #writeNewFile(facts: string[]): Promise<void> {
    const { files } = this.#settings
    const next = segment((this.segments.at(-1)?.number ?? 0) + 1, this.durable + 1)
    const group = this.#bytes.begin()
    this.#settings.checkpoint(next, group)
    const headLength = group.length
    for (const json of facts) group.add('F', json)
    const bytes = group.end()
    const file = await files.create(next.name)
    try {
      await file.write(bytes, 0)
      await files.syncFolder()
    } catch (error) {
      await file.close().catch(() => undefined)
      await files.remove(next.name).catch(() => undefined)
      throw error
    }
    await this.#file?.close().catch(() => undefined)
    this.#file = file
    this.#fileBytes = bytes.length
    this.#triedTo = bytes.length
    this.#rotateAt = Math.max(this.#settings.segmentBytes, headLength * 4)
    this.#mustRotate = false
    this.segments.push(next)
  }

  /** Lets the oldest waiting facts go: half of what memory may hold. A new file follows, because positions are missing. */
  #drop(): void {
    let dropped = 0
    while (this.#pendingBytes > this.#settings.memoryBytes / 2 && dropped < this.#facts.length) {
      this.#pendingBytes -= this.#facts[dropped]?.length ?? 0
      dropped++
    }
    this.#facts.splice(0, dropped)
    this.durable += dropped
    this.lost += dropped
    this.#mustRotate = true
  }

  #trouble(detail: string): void {
    this.lastError = detail
    if (this.#state === 'keeping') {
      this.#state = 'failing'
      this.#tell({ refusing: true, detail })
    }
    this.#release()
  }

  #recovered(): void {
    if (this.#state !== 'failing') return
    this.#state = 'keeping'
    this.#tell({ refusing: false, detail: `${this.lost} facts lost` })
  }

  #tell(trouble: { refusing: boolean; detail: string }): void {
    this.#settings.log[trouble.refusing ? 'error' : 'info']('journal disk', trouble)
    this.#settings.onTrouble(trouble)
  }

  #release(): void {
    const waiters = this.#flying ?? []
    this.#flying = null
    if (this.#state !== 'keeping') waiters.push(...this.#waiters.splice(0))
    for (const then of waiters) this.#call(then)
  }

  #call(then: () => void): void {
    try {
      then()
    } catch (error) {
      this.#settings.log.error('a caller that waited for the journal failed', { error: String(error) })
    }
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return code === 'ENOSPC' || code === 'EDQUOT'
}
