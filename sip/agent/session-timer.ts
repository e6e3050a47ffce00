import type { WheelTimer } from '#base/timer-wheel.ts'
import type { KeptSession } from '#sip/agent.ts'
import type { Core } from '#sip/agent/core.ts'
import type { SessionTerms } from '#sip/dialog/session-timer.ts'

/** What the dialog does when its time comes. */
export interface SessionTimerEvents {
  /** It is on us to refresh; success is told by `agree`, failure by `failed`. */
  refresh(): void
  /** Nobody refreshed in time. */
  expired(): void
}

/** After a refresh that failed for now, the next one, s. */
const RETRY_S = 10

/** The timer of one dialog whose sides have agreed to refresh it (RFC 4028 §10): at half its interval by us, or by the peer. */
export class SessionTimer {
  readonly #core: Core
  readonly #events: SessionTimerEvents
  readonly #timer: WheelTimer
  #terms: SessionTerms
  /** Wall time, so that another life of the server can go on. */
  #refreshedAt: number
  #refreshAt: number | null = null
  #endAt = 0

  /** Starts at once. `kept`: the terms come from an earlier life, and have been running. */
  constructor(core: Core, terms: SessionTerms, events: SessionTimerEvents, kept?: KeptSession) {
    this.#core = core
    this.#events = events
    this.#terms = terms
    this.#timer = core.wheel.timer(() => this.#due())
    this.#refreshedAt = kept?.refreshedAt ?? core.clock.wall()
    // Who comes back after an outage has at least half the interval to find the other again.
    this.#run(Math.min(Math.max(0, core.clock.wall() - this.#refreshedAt), terms.expires * 500))
  }

  get terms(): SessionTerms {
    return this.#terms
  }

  /** The session was refreshed, from now on under these terms. */
  agree(terms: SessionTerms): void {
    this.#terms = terms
    this.#refreshedAt = this.#core.clock.wall()
    this.#run(0)
  }

  /** A refresh of ours was refused for now. */
  failed(): void {
    this.#refreshAt = this.#core.clock.now() + Math.min(RETRY_S, this.#terms.expires / 6) * 1000
    this.#start()
  }

  stop(): void {
    this.#timer.stop()
  }

  keep(updates: boolean): KeptSession {
    return { ...this.#terms, refreshedAt: this.#refreshedAt, updates }
  }

  /** `passed` ms of the interval are over. */
  #run(passed: number): void {
    const now = this.#core.clock.now()
    const { expires, refresher } = this.#terms
    this.#endAt = now + Math.max(1_000, endMs(this.#terms) - passed)
    this.#refreshAt = refresher === 'us' ? now + Math.max(500, expires * 500 - passed) : null
    this.#start()
  }

  #start(): void {
    const at = this.#refreshAt === null ? this.#endAt : Math.min(this.#refreshAt, this.#endAt)
    this.#timer.start(Math.max(0, at - this.#core.clock.now()))
  }

  #due(): void {
    if (this.#core.clock.now() >= this.#endAt) {
      this.#events.expired()
      return
    }
    this.#refreshAt = null
    this.#start()
    this.#events.refresh()
  }
}

/** The BYE goes out a while before the interval is over, so that nobody on the way has forgotten the dialog (RFC 4028 §10). */
function endMs({ expires }: SessionTerms): number {
  return (expires - Math.min(32, expires / 3)) * 1000
}
