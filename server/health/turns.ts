import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { WorkMeter } from '#base/work-meter.ts'

export interface TurnsNeeds {
  clock: Clock
  log: Log
  /** Processor time of this thread so far, µs: what other programs do meanwhile does not count. */
  spentMicros: () => number
  /** Runs a task when everything that waits now has been dealt with: the end of the event loop's turn. */
  atEnd: (task: () => void) => void
}

/** Upper ends of the classes that durations are counted in, ms. */
const classesMs = [1, 2, 5, 10, 20, 50, 100, 250, 1_000] as const
/** A piece of work that takes as long is worth a line in the log, one in ten seconds at most. */
const longMs = 100
const lineEveryMs: Millis = 10_000
/** The longest piece is that of the last one or two of these. */
const windowMs: Millis = 60_000
/** Kinds of work told apart; the code names them, so that there are never more. */
const mostKinds = 32

/** A piece of work that was longer than others. */
export interface LongWork {
  readonly what: string
  readonly of: string
  readonly ms: number
}

/**
 * Measures for how long our own code holds the event loop: each piece of work, and each turn of the loop in which there was any. Processor
 * time, not time on the clock, so that the figures are the same on a machine that is busy with other things.
 */
export class Turns implements WorkMeter {
  readonly #needs: TurnsNeeds
  readonly #turns = new Durations()
  readonly #pieces = new Map<string, Durations>()
  readonly #end = (): void => this.#endTurn()
  #isOpen = false
  #turnSince = 0
  #since = 0
  #what = ''
  #of = ''
  #longest: LongWork = nothing
  #longestBefore: LongWork = nothing
  #windowEnds: Millis
  #lineAfter: Millis = Number.NEGATIVE_INFINITY

  constructor(needs: TurnsNeeds) {
    this.#needs = needs
    this.#windowEnds = needs.clock.now() + windowMs
  }

  begins(what: string, of: string): void {
    const now = this.#needs.spentMicros()
    if (this.#isOpen) this.#put(now)
    else {
      this.#isOpen = true
      this.#turnSince = now
      this.#needs.atEnd(this.#end)
    }
    this.#since = now
    this.#what = what
    this.#of = of
  }

  /** Of the last minute or two. */
  get longest(): LongWork {
    this.#turnWindow()
    return this.#longest.ms >= this.#longestBefore.ms ? this.#longest : this.#longestBefore
  }

  /** As Prometheus reads it. */
  text(): string {
    // Whose it was is for the log: anybody may read this, and each address would be a series of its own.
    const { ms, what } = this.longest
    return [
      '# HELP centrala_turn_seconds Processor time for which one turn of the event loop held everything else up',
      '# TYPE centrala_turn_seconds histogram',
      ...this.#turns.lines('centrala_turn_seconds', ''),
      '# HELP centrala_work_seconds Processor time of single pieces of work: a message, a timer, a request',
      '# TYPE centrala_work_seconds histogram',
      ...[...this.#pieces].flatMap(([kind, durations]) => durations.lines('centrala_work_seconds', `work="${escaped(kind)}"`)),
      '# HELP centrala_longest_work_seconds The longest piece of work of the last minute or two',
      '# TYPE centrala_longest_work_seconds gauge',
      `centrala_longest_work_seconds{work="${escaped(what)}"} ${ms / 1000}`,
      '',
    ].join('\n')
  }

  #put(now: number): void {
    const ms = (now - this.#since) / 1000
    const durations = this.#pieces.get(this.#what) ?? this.#newKind(this.#what)
    durations.add(ms)
    if (ms < 1) return
    this.#turnWindow()
    if (ms > this.#longest.ms) this.#longest = { what: this.#what, of: this.#of, ms }
    if (ms >= longMs) this.#tell(ms)
  }

  #endTurn(): void {
    const now = this.#needs.spentMicros()
    this.#put(now)
    this.#turns.add((now - this.#turnSince) / 1000)
    this.#isOpen = false
  }

  #newKind(what: string): Durations {
    const durations = new Durations()
    if (this.#pieces.size < mostKinds) this.#pieces.set(what, durations)
    return durations
  }

  #turnWindow(): void {
    const now = this.#needs.clock.now()
    if (now < this.#windowEnds) return
    this.#longestBefore = now < this.#windowEnds + windowMs ? this.#longest : nothing
    this.#longest = nothing
    this.#windowEnds = now + windowMs
  }

  #tell(ms: number): void {
    const now = this.#needs.clock.now()
    if (now < this.#lineAfter) return
    this.#lineAfter = now + lineEveryMs
    this.#needs.log.warn('one piece of work held everything else up', { what: this.#what, of: this.#of, ms: Math.round(ms) })
  }
}

const nothing: LongWork = { what: 'none', of: '', ms: 0 }

/** Durations, counted by class. */
class Durations {
  readonly #counts = Array.from({ length: classesMs.length + 1 }, () => 0)
  #sumMs = 0

  add(ms: number): void {
    let at = 0
    while (at < classesMs.length && ms > (classesMs[at] ?? 0)) at++
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sumMs += ms
  }

  /** `label`: one that each line has, or none. */
  lines(name: string, label: string): string[] {
    let total = 0
    const buckets = this.#counts.map((count, at) => {
      total += count
      const le = classesMs[at] === undefined ? '+Inf' : String((classesMs[at] ?? 0) / 1000)
      return `${name}_bucket{${label === '' ? '' : `${label},`}le="${le}"} ${total}`
    })
    const labels = label === '' ? '' : `{${label}}`
    return [...buckets, `${name}_sum${labels} ${this.#sumMs / 1000}`, `${name}_count${labels} ${total}`]
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

/** A clock whose tasks are measured. */
export function meteredClock(inner: Clock, meter: WorkMeter): Clock {
  return {
    now: () => inner.now(),
    wall: () => inner.wall(),
    after: (ms, task) =>
      inner.after(ms, () => {
        meter.begins('timer', '')
        task()
      }),
  }
}

/** Within which our own code counts as running all the time, ms. */
const closeMs = 1

/**
 * Processor time of a thread, µs, to be asked many times a millisecond. To ask the system costs as much as a hundredth of a message; what lies less
 * than a millisecond apart is told apart by the clock, which can only say too much, and by less than that.
 */
export function processorTime(now: () => Millis, spentMicros: () => number): () => number {
  let askedAt = Number.NEGATIVE_INFINITY
  let spent = 0
  let told = 0
  return () => {
    const at = now()
    if (at - askedAt >= closeMs) {
      askedAt = at
      spent = spentMicros()
    }
    return (told = Math.max(told, spent + (at - askedAt) * 1000))
  }
}

/** Measures this thread. */
export function openTurns(clock: Clock, log: Log): Turns {
  const spentMicros = (): number => {
    const { user, system } = process.threadCpuUsage()
    return user + system
  }
  return new Turns({ clock, log, spentMicros: processorTime(() => clock.now(), spentMicros), atEnd: (task) => void setImmediate(task) })
}
