import type { Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'

/**
 * Requests that wait for a device whose connection is gone to come back. A phone that lost its connection (or whose server was restarted)
 * connects and registers again within seconds; only it can do so when it sits behind address translation.
 */
export class Homecoming {
  readonly #wheel: TimerWheel
  readonly #waiting = new Set<() => boolean>()

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** Requests that wait now. */
  get size(): number {
    return this.#waiting.size
  }

  /** The flow that `look` finds: now, when somebody comes back, or null after `ms`. */
  async wait(look: () => Flow | null, ms: Millis): Promise<Flow | null> {
    const found = look()
    if (found !== null) return found
    const { promise, resolve } = Promise.withResolvers<Flow | null>()
    const lookAgain = (): boolean => {
      const flow = look()
      if (flow !== null) resolve(flow)
      return flow !== null
    }
    const timer = this.#wheel.after(ms, () => resolve(null))
    this.#waiting.add(lookAgain)
    const flow = await promise
    timer.stop()
    this.#waiting.delete(lookAgain)
    return flow
  }

  /** Somebody registered, or sent a request in a dialog over another flow. */
  look(): void {
    for (const lookAgain of [...this.#waiting]) if (lookAgain()) this.#waiting.delete(lookAgain)
  }
}
