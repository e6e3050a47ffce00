import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Journal, JournalSlice } from '#server/journal/face.ts'

/** Where drained facts go. Writing the same facts again must change nothing. */
export interface FactSink {
  /** Resolves when the facts are kept for good; rejects when they should be offered again later. Of the slice nothing may be used afterwards. */
  write(slice: JournalSlice): Promise<void>
}

export interface DrainSettings {
  readonly journal: Journal
  readonly sink: FactSink
  readonly clock: Clock
  readonly log: Log
  /** How long facts gather before a write. Default 400 ms. */
  readonly gatherMs?: Millis
  /** About how much JSON goes into one write. Default 1 MiB. */
  readonly batchBytes?: number
}

const GATHER_MS: Millis = 400
const firstPauseMs: Millis = 250
const longestPauseMs: Millis = 5_000
/** The database starts beside us: that it is not there for so long is no news. */
const startingMs: Millis = 15_000

/** Carries facts from the journal to the database, in order, at least once; patient while the database is away. Caller closes. */
export class JournalDrain {
  #settings: DrainSettings
  #subscription: Disposable
  #timer: Disposable | null = null
  #run: Promise<void> | null = null
  #pauseMs: Millis = 0
  readonly #startedAt: Millis
  #hasWritten = false
  #closed = false

  constructor(settings: DrainSettings) {
    this.#settings = settings
    this.#startedAt = settings.clock.now()
    this.#subscription = settings.journal.subscribe(() => this.#later(settings.gatherMs ?? GATHER_MS))
    this.#later(0)
  }

  /** Tries at once: the database is known to be back. */
  wake(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    this.#pauseMs = 0
    this.#later(0)
  }

  /** Writes what there is, if the database takes it, and stops. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#subscription[Symbol.dispose]()
    this.#timer?.[Symbol.dispose]()
    await this.#run
    await this.#drain()
  }

  #later(ms: Millis): void {
    if (this.#timer !== null || this.#run !== null || this.#closed) return
    this.#timer = this.#settings.clock.after(Math.max(ms, this.#pauseMs), () => {
      this.#timer = null
      this.#run = this.#drain().finally(() => {
        this.#run = null
        if (this.#settings.journal.drained < this.#settings.journal.position) this.#later(this.#settings.gatherMs ?? GATHER_MS)
      })
    })
  }

  async #drain(): Promise<void> {
    const { journal, sink, log } = this.#settings
    try {
      for (;;) {
        const before = journal.drained
        const slice = await journal.read(before, this.#settings.batchBytes ?? 1024 * 1024)
        if (slice.facts.length > 0) {
          await sink.write(slice)
          this.#hasWritten = true
        }
        if (slice.upTo <= before) return
        journal.acknowledge(slice.upTo)
        this.#pauseMs = 0
      }
    } catch (error) {
      this.#pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2))
      const isStarting = !this.#hasWritten && this.#settings.clock.now() - this.#startedAt < startingMs
      log[isStarting ? 'debug' : 'warn']('facts wait for the database', { undrained: journal.health().undrained, error: String(error) })
    }
  }
}
