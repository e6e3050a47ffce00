import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Fact, NewFact } from '#contract/facts.ts'

/**
 * The write-ahead journal of one server process: facts of calls, and the latest value of whatever must outlive the process
 * (live calls, registrations, trunk states), in one checksummed file that is flushed in groups. PostgreSQL is fed from it and may be
 * away for as long as the disk lasts.
 */
export interface Journal {
  /**
   * Stamps the fact with the instant and the next number of its call, tells the subscribers, and queues it for the disk. Never fails
   * and never waits. The journal owns the object from here on.
   */
  append(fact: NewFact): Fact
  /**
   * Calls back once everything appended and kept so far is on disk: within a few milliseconds. When the disk cannot take it, the callback
   * comes all the same: the loss is counted and alarmed, and calls go on.
   */
  whenKept(then: () => void): void
  /**
   * The latest JSON value under a key survives the death of this process; null removes it. Keys are paths: `call/<id>`, `trunk/<id>`. The
   * value is written when its group goes to the disk, and must not be changed by its giver.
   */
  keep(key: string, value: unknown): void
  /** The kept values, by key, of keys that begin with `prefix`. Parsed anew at each call: meant for the start of the process. */
  kept(prefix: string): Map<string, unknown>
  /** Calls that have started and not ended. Right after opening: what the process before left behind. */
  openCalls(): OpenCall[]
  /**
   * The facts of the calls that the process before left open, by call and in order, as far as the files still hold them: of a long call the
   * first may be in the database only. Given once, right after opening.
   */
  takeInherited(): Map<string, Fact[]>
  /**
   * Closes a call that nobody can take over: ends its open legs and recordings, then the call, with outcome `failed` by `us`.
   * `why` is one sentence for a person.
   */
  closeLost(call: OpenCall, why: string): void
  /**
   * Says how far a call's numbering has come elsewhere (the database), before a late fact of a call is appended that this journal may
   * have forgotten. Lower numbers than it already knows are ignored. `call: null`: the company's own facts.
   */
  continueFrom(tenant: string, call: string | null, seq: number): void
  /** Tells of each fact as it is appended, in order. A fact appended by a listener is told after the current one. Exceptions are logged, never passed on. */
  subscribe(listener: (fact: Fact) => void): Disposable
  /** Facts after `position`, oldest first, up to about `maxBytes` of JSON; empty when there are none. For the drain. */
  read(after: Position, maxBytes: number): Promise<JournalSlice>
  /** Everything up to here is in the database: files that hold nothing newer are deleted. */
  acknowledge(upTo: Position): void
  /** The last acknowledged position. */
  readonly drained: Position
  /** The position of the last fact appended. */
  readonly position: Position
  health(): JournalHealth
  /** Facts and values waiting for a disk that takes them; 0 while it refuses. Cheap: asked for every new request. */
  readonly backlog: number
  /** Flushes and closes. Idempotent. */
  close(): Promise<void>
}

/** How many facts this journal has taken since it was created: the number of the last one. */
export type Position = number

/** A run of facts for the drain. */
export interface JournalSlice {
  readonly facts: readonly Fact[]
  /** The JSON of `facts`, an array, in UTF-8. Good until the next read. */
  readonly json: Buffer
  /** Position of the last of them (or where reading has come to, when records could not be read). */
  readonly upTo: Position
}

/** A call without an end in the journal. */
export interface OpenCall {
  readonly tenant: string
  readonly call: string
  /** Number of its last fact. */
  readonly seq: number
  /** Wall time of its last fact. */
  readonly lastAt: number
  readonly legs: readonly string[]
  readonly recordings: readonly string[]
}

export interface JournalHealth {
  /** `failing`: the disk refuses; facts wait in memory and calls go on. */
  readonly state: 'keeping' | 'failing' | 'closed'
  /** Facts and values waiting for the disk. */
  readonly waiting: number
  /** Facts dropped for good because the disk refused longer than memory could hold them. */
  readonly lost: number
  /** Facts not yet in the database. */
  readonly undrained: number
  readonly segments: number
  /** Group commits so far, and the longest of the last 100, in milliseconds. */
  readonly commits: number
  readonly slowestCommitMs: Millis
  readonly lastError: string | null
}

export interface JournalSettings {
  /** A folder of its own; made if missing. */
  readonly folder: string
  readonly clock: Clock
  readonly log: Log
  /** Start a new file after so many bytes. Default 8 MiB. */
  readonly segmentBytes?: number
  /** The least time between two flushes somebody waits for: the group's window. Twice as much while many wait. Default 10 ms. */
  readonly windowMs?: Millis
  /** The longest time an append nobody waits for stays unflushed. Default 50 ms. */
  readonly idleWindowMs?: Millis
  /** How much may wait in memory while the disk refuses. Default 64 MiB. */
  readonly memoryBytes?: number
  /** Called once when the disk begins to refuse and once when it takes again. The owner raises the alarm. */
  readonly onTrouble?: (trouble: { refusing: boolean; detail: string }) => void
}
