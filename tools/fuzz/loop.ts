import { mutated, SeededDice } from '#tools/fuzz/mutate.ts'
import { DEFAULT_LIMIT_MS, type FuzzTarget } from '#tools/fuzz/target.ts'

/** What one target went through. */
export interface FuzzReport {
  readonly target: string
  readonly executions: number
  /** Different answers of the parser that were seen. */
  readonly outcomes: number
  readonly slowestMs: number
  /** Bytes that live on after warming up and a collection; null where no collection can be forced. */
  readonly grownBytes: number | null
  readonly failures: readonly FuzzFailure[]
}

export interface FuzzFailure {
  readonly kind: 'threw' | 'slow' | 'hung' | 'grew'
  readonly detail: string
  readonly input: Uint8Array | null
}

/** What the loop needs from the machine. */
export interface FuzzHost {
  /** Milliseconds, monotonic. */
  now(): number
  /** Live bytes after a forced collection; null when none can be forced. */
  liveBytes(): number | null
  /** Called before each execution, so that a hang leaves its input behind. */
  about(input: Uint8Array): void
}

/** Failures of one kind after which a target is given up: the rest would be the same. */
const MAX_FAILURES = 20
/** Inputs kept because they brought a new answer. */
const MAX_CORPUS = 512
/** Executions before the heap is first measured: compiled code and caches have settled by then. */
const WARM_UP = 2_000
/** Growth up to this is noise of the collector and of caches. */
const MAX_GROWTH_BYTES = 8_000_000
/** A slow call is repeated so often, and its fastest repetition counts: a busy machine is not the parser's fault. */
const REPEATS = 5

/** Attacks `target` until `until(executions)` says to stop. The inputs depend on the seed alone. */
export function fuzz(target: FuzzTarget, seed: number, host: FuzzHost, until: (executions: number) => boolean): FuzzReport {
  const run = new Run(target, seed, host)
  run.seeds()
  while (!until(run.executions) && run.failures.length < MAX_FAILURES) run.step()
  return run.report()
}

class Run {
  readonly failures: FuzzFailure[] = []
  executions = 0
  readonly #target: FuzzTarget
  readonly #host: FuzzHost
  readonly #dice: SeededDice
  readonly #corpus: [Uint8Array, ...Uint8Array[]]
  readonly #outcomes = new Set<string>()
  #slowestMs = 0
  #settledBytes: number | null = null
  /** Kept inputs are ours, not the parser's. */
  #corpusBytes = 0

  constructor(target: FuzzTarget, seed: number, host: FuzzHost) {
    this.#target = target
    this.#host = host
    this.#dice = new SeededDice(seed)
    this.#corpus = [new Uint8Array(0), ...target.seeds()]
  }

  seeds(): void {
    for (const bytes of [...this.#corpus]) this.#try(bytes)
  }

  step(): void {
    this.#try(mutated(this.#corpus, this.#dice))
    if (this.executions === WARM_UP) this.#settledBytes = this.#parserBytes()
  }

  report(): FuzzReport {
    const now = this.#settledBytes === null ? null : this.#parserBytes()
    const grownBytes = now === null || this.#settledBytes === null ? null : now - this.#settledBytes
    if (grownBytes !== null && grownBytes > MAX_GROWTH_BYTES) {
      this.failures.push({ kind: 'grew', detail: `${grownBytes} bytes live on after ${this.executions} executions`, input: null })
    }
    const { executions, failures } = this
    return { target: this.#target.name, executions, outcomes: this.#outcomes.size, slowestMs: this.#slowestMs, grownBytes, failures }
  }

  #parserBytes(): number | null {
    const live = this.#host.liveBytes()
    return live === null ? null : live - this.#corpusBytes
  }

  #try(bytes: Uint8Array): void {
    this.executions++
    this.#host.about(bytes)
    const startedAt = this.#host.now()
    try {
      this.#keep(this.#target.run(bytes), bytes)
    } catch (error) {
      this.failures.push({ kind: 'threw', detail: error instanceof Error ? (error.stack ?? error.message) : String(error), input: bytes })
      return
    }
    const tookMs = this.#host.now() - startedAt
    if (tookMs > (this.#target.limitMs ?? DEFAULT_LIMIT_MS)) this.#judge(bytes)
    else this.#slowestMs = Math.max(this.#slowestMs, tookMs)
  }

  #keep(outcome: string, bytes: Uint8Array): void {
    if (this.#outcomes.has(outcome) || this.#outcomes.size >= MAX_CORPUS) return
    this.#outcomes.add(outcome)
    this.#corpus.push(Uint8Array.from(bytes))
    this.#corpusBytes += bytes.length
  }

  #judge(bytes: Uint8Array): void {
    let fastest = Number.POSITIVE_INFINITY
    for (let i = 0; i < REPEATS; i++) {
      const startedAt = this.#host.now()
      this.#target.run(bytes)
      fastest = Math.min(fastest, this.#host.now() - startedAt)
    }
    this.#slowestMs = Math.max(this.#slowestMs, fastest)
    const limit = this.#target.limitMs ?? DEFAULT_LIMIT_MS
    if (fastest <= limit) return
    this.failures.push({
      kind: 'slow',
      detail: `${fastest.toFixed(1)} ms for ${bytes.length} bytes, allowed are ${limit}`,
      input: Uint8Array.from(bytes),
    })
  }
}
