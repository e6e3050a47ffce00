import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Banner } from '#server/keeper/messages.ts'
import { RestartPolicy } from '#server/keeper/restart-policy.ts'

/** How urgently something is to end: let work finish, stop working, or be torn down by the system. */
export type EndMode = 'drain' | 'now' | 'kill'

/** Something started, until its `onEnded`. */
export interface Running {
  readonly pid: number | null
  /** Asks it to end; may be asked again, more urgently. Never throws. */
  end(mode: EndMode): void
}

/** Told by what was launched, never from within `launch` itself. Nothing follows `onEnded`. */
export interface LaunchEvents {
  onReady(banner: Banner | null): void
  /** `refused`: it cannot work until a person changes something, and says what. */
  onEnded(ended: { why: string; refused: string | null }): void
}

/** Starts one life of a process. Must not throw. */
export type Launch = (events: LaunchEvents) => Running

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

/**
 * ```
 * idle -> starting -> serving -> ended      (asked to end)
 *            |  ^        |
 *            v  |        v
 *           resting <----+                  (died; a rest of 0 ms is skipped)
 * ```
 */
type State =
  | { kind: 'idle' }
  | { kind: 'starting' | 'serving' | 'ending'; running: Running }
  | { kind: 'resting'; timer: Disposable }
  | { kind: 'ended' }

/** One process that is started again whenever it dies, until it is asked to end. */
export class Kept {
  readonly name: string
  #launch: Launch
  #events: KeptEvents
  #clock: Clock
  #log: Log
  #policy = new RestartPolicy()
  #state: State = { kind: 'idle' }
  #lives = 0
  #served = false
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
        return this.#endRunning(state.running, mode, limitMs)
    }
  }

  async #endRunning(running: Running, mode: EndMode, limitMs: Millis): Promise<void> {
    this.#state = { kind: 'ending', running }
    using _limit = this.#clock.after(limitMs, () => {
      this.#log.warn('did not end in time and is killed', { process: this.name, limitMs })
      running.end('kill')
    })
    running.end(mode)
    await this.#ended.promise
  }

  #close(): void {
    this.#state = { kind: 'ended' }
    this.#ended.resolve()
  }

  #begin(): void {
    this.#lives++
    this.#startedAt = this.#clock.now()
    const running = this.#launch({
      onReady: (banner) => this.#onReady(banner),
      onEnded: ({ why, refused }) => this.#onEnded(why, refused),
    })
    this.#state = { kind: 'starting', running }
  }

  #onReady(banner: Banner | null): void {
    if (this.#state.kind !== 'starting') return
    this.#state = { kind: 'serving', running: this.#state.running }
    const first = !this.#served
    this.#served = true
    const ms = Math.round(this.#clock.now() - this.#startedAt)
    if (first) this.#log.debug('serves', { process: this.name, pid: this.#state.running.pid, ms })
    else this.#log.warn('serves again', { process: this.name, pid: this.#state.running.pid, ms })
    this.#events.onReady?.(banner, first)
  }

  #onEnded(why: string, refused: string | null): void {
    if (this.#state.kind === 'ending') return this.#close()
    if (refused !== null && !this.#served) {
      this.#close()
      return this.#events.onRefused(refused)
    }
    const pauseMs = this.#policy.pauseAfterLife(this.#clock.now() - this.#startedAt, this.#state.kind === 'serving')
    this.#log.error('died and is started again', { process: this.name, why: refused ?? why, pauseMs })
    if (pauseMs === 0) this.#begin()
    else this.#state = { kind: 'resting', timer: this.#clock.after(pauseMs, () => this.#begin()) }
  }
}
