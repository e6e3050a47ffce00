import { Disposal } from '#base/disposal.ts'

/** Milliseconds; of a duration or of an instant on the monotonic clock. */
export type Millis = number

/**
 * The only way to know or await time. Protocol and flow code takes a Clock (or `now`) and never reads the machine's.
 * Of the machine: `systemClock`; of tests, rehearsals and simulations: `VirtualClock`. `TimerWheel.asClock` sets the timers of either on a wheel.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin; never goes back. For durations and timers. */
  now(): Millis
  /** Wall time, milliseconds since the Unix epoch; may jump. For records and schedules only. */
  wall(): number
  /** Runs `task` once, `ms` from now; disposing stops it. A disposed task never runs. */
  after(ms: Millis, task: () => void): Disposable
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, task) {
    if (ms > LONGEST_MS) return afterLong(ms, task)
    return setTimeout(task, ms)
  },
}

/** What a timer of Node can wait, almost 25 days: one that is to wait for longer fires at once. */
const LONGEST_MS: Millis = 2 ** 31 - 1

function afterLong(ms: Millis, task: () => void): Disposable {
  let next = systemClock.after(LONGEST_MS, () => {
    next = systemClock.after(ms - LONGEST_MS, task)
  })
  return new Disposal(() => next[Symbol.dispose]())
}

/** `inner` with its wall time shifted by `offsetMs`: how a call is rehearsed at another date. */
export function shifted(inner: Clock, offsetMs: Millis): Clock {
  return { now: () => inner.now(), wall: () => inner.wall() + offsetMs, after: (ms, task) => inner.after(ms, task) }
}
