import type { Millis } from '#base/clock.ts'

/** The three estimates from which all others follow (RFC 3261 §17.1.1.1, §17.1.2.1). */
export interface TimerBase {
  /** Round-trip time, 500 ms. */
  t1: Millis
  /** The longest interval between retransmissions of a non-INVITE request or an INVITE response, 4 s. */
  t2: Millis
  /** The longest that a message stays in the network, 5 s. */
  t4: Millis
}

/** The timers of RFC 3261 table 4 and RFC 6026 as one value, by letter; null where a reliable transport has none. */
export interface Timings {
  /** First retransmission of an INVITE; doubles. */
  readonly A: Millis | null
  /** An INVITE without any response. */
  readonly B: Millis
  /** Repeated failure responses are acknowledged this long. */
  readonly D: Millis
  /** First retransmission of another request; doubles up to `t2`. */
  readonly E: Millis | null
  /** Another request without a final response. */
  readonly F: Millis
  /** First retransmission of a failure response to an INVITE; doubles up to `t2`. */
  readonly G: Millis | null
  /** The ACK never came. */
  readonly H: Millis
  /** Repeated ACKs are absorbed this long. */
  readonly I: Millis
  /** Repeated requests are answered this long. */
  readonly J: Millis
  /** Repeated final responses are absorbed this long. */
  readonly K: Millis
  /** Repeated INVITEs are absorbed this long after a 2xx (RFC 6026 §7.1). */
  readonly L: Millis
  /** Further 2xx of forks are handed up this long (RFC 6026 §7.2). */
  readonly M: Millis
  readonly t2: Millis
  /** The 100 goes out this late unless a response went before, at most 200 ms (RFC 3261 §17.2.1). */
  readonly trying: Millis
}

/** Timer letters, and `trying` for the 100 that the transaction itself sends. */
export type Timer = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'trying'

/** RFC 3261's defaults. */
export const defaultTimerBase: TimerBase = { t1: 500, t2: 4_000, t4: 5_000 }

/** Over reliable transports nothing is retransmitted, and nothing waits for retransmissions. */
export function timings({ t1, t2, t4 }: TimerBase, reliable: boolean, trying: Millis = 200): Timings {
  const end = 64 * t1
  const first = reliable ? null : t1
  return {
    A: first,
    B: end,
    D: reliable ? 0 : Math.max(32_000, end),
    E: first,
    F: end,
    G: first,
    H: end,
    I: reliable ? 0 : t4,
    J: reliable ? 0 : end,
    K: reliable ? 0 : t4,
    L: end,
    M: end,
    t2,
    trying,
  }
}
