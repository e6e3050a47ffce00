import type { Clock, Millis } from '#base/clock.ts'
import type { Call } from '#calls/call.ts'

/** Between two looks; most calls are being connected for many seconds. */
const lookMs: Millis = 50

/** Whether the next life of the server could not take a call over, as nobody talks in it yet. */
export function isBeingConnected(call: Call): boolean {
  return !call.legs.some((leg) => leg.state === 'talking')
}

/**
 * Waits for a moment in which every call in progress can be taken over, `limitMs` at most; new calls come meanwhile as ever.
 * @returns how many calls are being connected at the end: 0, or those that cannot be kept.
 */
export async function quietMoment(clock: Clock, calls: () => Iterable<Call>, limitMs: Millis): Promise<number> {
  const until = clock.now() + limitMs
  for (;;) {
    const connecting = [...calls()].filter(isBeingConnected).length
    if (connecting === 0 || clock.now() >= until) return connecting
    await new Promise<void>((resolve) => void clock.after(lookMs, resolve))
  }
}
