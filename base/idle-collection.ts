import type { Clock, Millis } from '#base/clock.ts'

/** What tells an idle process. */
export interface Busyness {
  /** Calls, or ends of calls, in progress. */
  calls: () => number
  /** How much has been asked for since the start: messages received, ends of calls opened. */
  asked: () => number
}

export interface IdleCollectionNeeds extends Busyness {
  clock: Clock
  /** Collects garbage and gives memory back; stops everything meanwhile. */
  collect: () => void
  /** What the process holds of the machine's memory, in bytes; absent: a stop would be heard, and nothing is collected while there are calls. */
  resident?: () => number
}

/** A look this often; what it sees must hold from one look to the next. */
const lookMs: Millis = 15_000
/** When more is asked for between two looks, that is no idleness. A thousand phones that register every minute ask for less. */
const few = 750
/** Between two collections. */
const restMs: Millis = 600_000
/** A stop that took longer is not made again while there are calls: somebody would have to repeat what they said (RFC 3261 T1 is 500 ms). */
const longestStopMs: Millis = 300
/** Where the process has become very much bigger meanwhile, or a busy time is over and nobody calls. */
const shortRestMs: Millis = 60_000
/** So much more than when it held least since the last collection is worth a stop while there are calls. */
const bigger = { times: 1.1, bytes: 20_000_000 }
const swollen = { times: 1.15, bytes: 25_000_000 }

/**
 * V8 collects when memory is asked for, and so a process keeps what its start and its last busy hour have left: where little is asked for, for
 * ever. This has it collected when nobody calls and hardly anything is asked for: soon after the start and after each busy time, and once in ten
 * minutes at the most besides. While there are calls it is done only when hardly anything is asked for and the process has become bigger, and soon
 * again only after a flood, or a thousand phones at once. It takes less than the half second after which a message is repeated, and no audio waits
 * for it. V8 collects in small steps only what it allocates at the time, and moves nothing together: a flood's pages would stay. Disposing ends it.
 */
export function collectWhenIdle({ clock, calls, asked, collect, resident }: IdleCollectionNeeds): Disposable {
  let seen = asked()
  let wasCalm = false
  let wasIdle = false
  let wasBusy = false
  let collectedAt = Number.NEGATIVE_INFINITY
  let least = resident?.() ?? 0
  let stopMs: Millis = 0
  let timer: Disposable
  const isWorthIt = (isIdle: boolean, holds: number): boolean => {
    const isMore = ({ times, bytes }: typeof bigger): boolean => holds > least * times && holds > least + bytes
    const isShort = stopMs <= longestStopMs
    const isSoon = (isIdle && wasBusy && isShort) || isMore(swollen)
    const mayStop = isIdle || (isShort && isMore(bigger))
    return mayStop && clock.now() >= collectedAt + (isSoon ? shortRestMs : restMs)
  }
  const look = (): void => {
    const now = asked()
    const isCalm = now - seen < few
    const isIdle = isCalm && calls() === 0
    const holds = resident?.() ?? 0
    const hasBeenIdle = isIdle && wasIdle
    wasBusy ||= !isCalm
    if (isCalm && wasCalm && isWorthIt(hasBeenIdle, holds)) {
      const startedAt = clock.now()
      collect()
      collectedAt = clock.now()
      stopMs = collectedAt - startedAt
      if (hasBeenIdle) wasBusy = false
      // What is left is needed: it alone is never worth another stop.
      least = resident?.() ?? 0
    } else least = Math.min(least, holds)
    seen = now
    wasCalm = isCalm
    wasIdle = isIdle
    timer = clock.after(lookMs, look)
  }
  timer = clock.after(lookMs, look)
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
