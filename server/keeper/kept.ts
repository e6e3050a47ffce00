import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Banner } from '#server/keeper/messages.ts'
import { Pulse } from '#server/keeper/pulse.ts'
import { RestartPolicy } from '#server/keeper/restart-policy.ts'

/** How something is to end: let work finish, stop working, be torn down by the system, or leave everything to a life that stands by. */
export type EndMode = 'drain' | 'now' | 'kill' | 'hand-over'

/** Something started, until its `onEnded`. */
export interface Running {
  readonly pid: number | null
  /** Asks it to end; may be asked again, more urgently. Never throws. */
  end(mode: EndMode): void
  /** What was started to stand by is to serve. */
  go?(): void
  /** Asks it to answer with `onPong`; absent: it is not watched. */
  ping?(): void
  /** Whether the system holds it stopped. */
  isStopped?(): boolean
}

/** Told by what was launched, never from within `launch` itself. Nothing follows `onEnded`. */
export interface LaunchEvents {
  onReady(banner: Banner | null): void
  onStandingBy?(): void
  onPong?(): void
  /** `refused`: it cannot work until a person changes something, and says what. */
  onEnded(ended: { why: string; refused: string | null }): void
}

/** Starts one life of a process; `standingBy`: it loads everything, opens nothing, and waits for `go`. Must not throw. */
export type Launch = (events: LaunchEvents, standingBy?: boolean) => Running

export interface KeptEvents {
  /** It serves; `first` is true once. */
  onReady?(banner: Banner | null, first: boolean): void
  /** It refused to work before it ever served. It is not started again. */
  onRefused(why: string): void
}

/** What the keeper can tell of one process. */
export interface KeptStatus {
  name: string
  state: State['kind']
  pid: number | null
  restarts: number
}

/** How a replacement went: milliseconds from the end of the old life to the new one serving; or why there was none. */
export type Replaced = { ms: Millis } | { refused: string }

/**
 * ```
 * idle -> starting -> serving -> ended                     (asked to end)
 *            |  ^      |   ^
 *            v  |      v   '-- refused --.
 *           resting <--+                 |                 (died, or frozen and killed; a rest of 0 ms is skipped)
 *            ^         '--> serving, successor standing by
 *            |                    '--> handing-over --> starting (the successor)
 * ```
 */
type State =
  | { kind: 'idle' }
  | { kind: 'starting' | 'serving' | 'ending'; running: Running }
  | { kind: 'handing-over'; running: Running; successor: Running }
  | { kind: 'resting'; timer: Disposable }
  | { kind: 'ended' }

/** A life being prepared to take over. */
interface Successor {
  running: Running
  /** Null: it stands by. */
  stands: PromiseWithResolvers<string | null>
}

/** How long loading everything may take a process that is to stand by. */
const standbyMs: Millis = 60_000

/** One process that is started again whenever it dies or freezes, and can be replaced by another life of it, until it is asked to end. */
export class Kept {
  readonly name: string
  #launch: Launch
  #events: KeptEvents
  #clock: Clock
  #log: Log
  #policy = new RestartPolicy()
  #state: State = { kind: 'idle' }
  #pulse: Pulse | null = null
  #successor: Successor | null = null
  /** For who replaces it: true when the next life serves, false when none comes. */
  #served: PromiseWithResolvers<boolean> | null = null
  #lives = 0
  #everServed = false
  #startedAt: Millis = 0
  #ended = Promise.withResolvers<void>()

  constructor(name: string, launch: Launch, events: KeptEvents, context: { clock: Clock; log: Log }) {
    this.name = name
    this.#launch = launch
    this.#events = events
    this.#clock = context.clock
    this.#log = context.log
  }

  start(): void {
    if (this.#state.kind === 'idle') this.#begin()
  }

  status(): KeptStatus {
    const pid = 'running' in this.#state ? this.#state.running.pid : null
    return { name: this.name, state: this.#state.kind, pid, restarts: Math.max(0, this.#lives - 1) }
  }

  /** Asks it to end, and makes it end after `limitMs`. Resolves when it is gone. May be asked again, more urgently. */
  async end(mode: EndMode, limitMs: Millis): Promise<void> {
    const state = this.#state
    this.#successor?.running.end('kill')
    switch (state.kind) {
      case 'ended':
        return
      case 'idle':
        return this.#close()
      case 'resting':
        state.timer[Symbol.dispose]()
        return this.#close()
      case 'starting':
      case 'serving':
      case 'ending':
      case 'handing-over':
        if (state.kind === 'handing-over') state.successor.end('kill')
        return this.#endRunning(state.running, mode, limitMs)
    }
  }

  /**
   * Puts another life in the place of the one that serves: the new one loads everything beside it and stands by, the old one has `limitMs` to
   * hand over, the new one serves. When the new one cannot work, the old one goes on.
   */
  async replace(limitMs: Millis): Promise<Replaced> {
    const before = this.#state
    if (before.kind !== 'serving' || this.#successor !== null)
      return { refused: `it is ${this.#successor === null ? before.kind : 'being replaced'}` }
    const stands = Promise.withResolvers<string | null>()
    const running = this.#life(true)
    this.#successor = { running, stands }
    using _loading = this.#clock.after(standbyMs, () => stands.resolve(`the new one was not loaded within ${standbyMs / 1_000} s`))
    const refused = (await stands.promise) ?? (this.#state === before ? null : 'it ended meanwhile')
    this.#successor = null
    if (refused !== null) {
      this.#lives--
      running.end('kill')
      return { refused }
    }
    this.#pulse?.[Symbol.dispose]()
    this.#state = { kind: 'handing-over', running: before.running, successor: running }
    using _patience = this.#clock.after(limitMs, () => {
      this.#log.warn('did not hand over in time and is killed', { process: this.name, limitMs })
      before.running.end('kill')
    })
    const served = Promise.withResolvers<boolean>()
    this.#served = served
    before.running.end('hand-over')
    return (await served.promise) ? { ms: Math.round(this.#clock.now() - this.#startedAt) } : { refused: 'it was asked to end meanwhile' }
  }

  async #endRunning(running: Running, mode: EndMode, limitMs: Millis): Promise<void> {
    this.#state = { kind: 'ending', running }
    this.#pulse?.[Symbol.dispose]()
    this.#served?.resolve(false)
    using _limit = this.#clock.after(limitMs, () => {
      this.#log.warn('did not end in time and is killed', { process: this.name, limitMs })
      running.end('kill')
    })
    running.end(mode)
    await this.#ended.promise
  }

  #close(): void {
    this.#state = { kind: 'ended' }
    this.#served?.resolve(false)
    this.#ended.resolve()
  }

  #begin(): void {
    this.#startedAt = this.#clock.now()
    this.#state = { kind: 'starting', running: this.#life(false) }
  }

  #life(standingBy: boolean): Running {
    this.#lives++
    const running: Running = this.#launch(
      {
        onReady: (banner) => this.#onReady(running, banner),
        onStandingBy: () => this.#successor?.running === running && this.#successor.stands.resolve(null),
        onPong: () => this.#isNow(running) && this.#pulse?.heard(),
        onEnded: ({ why, refused }) => this.#onEnded(running, why, refused),
      },
      standingBy,
    )
    return running
  }

  #isNow(running: Running): boolean {
    return 'running' in this.#state && this.#state.running === running
  }

  #onReady(running: Running, banner: Banner | null): void {
    if (this.#state.kind !== 'starting' || !this.#isNow(running)) return
    this.#state = { kind: 'serving', running }
    if (running.ping !== undefined) this.#pulse = new Pulse(this.#clock, running, (why) => this.#onFrozen(running, why))
    const first = !this.#everServed
    this.#everServed = true
    const ms = Math.round(this.#clock.now() - this.#startedAt)
    if (first) this.#log.debug('serves', { process: this.name, pid: running.pid, ms })
    else this.#log.warn('serves again', { process: this.name, pid: running.pid, ms })
    this.#served?.resolve(true)
    this.#served = null
    this.#events.onReady?.(banner, first)
  }

  #onFrozen(running: Running, why: string): void {
    this.#log.error('is frozen and is killed', { process: this.name, pid: running.pid, why })
    running.end('kill')
  }

  #onEnded(running: Running, why: string, refused: string | null): void {
    if (this.#successor?.running === running) return this.#successor.stands.resolve(refused ?? why)
    if (this.#state.kind === 'handing-over') {
      if (running === this.#state.running) return this.#takeOver(this.#state.successor)
      // Nobody stands by any more: the old one, which is leaving, is followed as after a death.
      if (running === this.#state.successor) this.#state = { kind: 'serving', running: this.#state.running }
      return
    }
    if (!this.#isNow(running)) return
    this.#pulse?.[Symbol.dispose]()
    if (this.#state.kind === 'ending') return this.#close()
    if (refused !== null && !this.#everServed) {
      this.#close()
      return this.#events.onRefused(refused)
    }
    const pauseMs = this.#policy.pauseAfterLife(this.#clock.now() - this.#startedAt, this.#state.kind === 'serving')
    this.#log.error('died and is started again', { process: this.name, why: refused ?? why, pauseMs })
    if (pauseMs === 0) this.#begin()
    else this.#state = { kind: 'resting', timer: this.#clock.after(pauseMs, () => this.#begin()) }
  }

  #takeOver(successor: Running): void {
    this.#startedAt = this.#clock.now()
    this.#state = { kind: 'starting', running: successor }
    successor.go?.()
  }
}
