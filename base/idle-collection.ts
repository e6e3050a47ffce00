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
}

/** A look this often; what it sees must hold from one look to the next. */
const lookMs: Millis = 20_000
/** When more is asked for between two looks, that is no idleness. A thousand phones that register every minute ask for less. */
const few = 1_000
/** Between two collections. */
const restMs: Millis = 600_000

/**
 * V8 collects when memory is asked for, and so an idle process keeps what its start and its last busy hour have left. This has it collected when
 * nobody calls and hardly anything is asked for: soon after the start, and once in ten minutes at the most. Disposing ends it.
 */
export function collectWhenIdle({ clock, calls, asked, collect }: IdleCollectionNeeds): Disposable {
  let seen = asked()
  let wasIdle = false
  let notBefore = Number.NEGATIVE_INFINITY
  let timer: Disposable
  const look = (): void => {
    const now = asked()
    const isIdle = calls() === 0 && now - seen < few
    seen = now
    if (isIdle && wasIdle && clock.now() >= notBefore) {
      collect()
      notBefore = clock.now() + restMs
    }
    wasIdle = isIdle
    timer = clock.after(lookMs, look)
  }
  timer = clock.after(lookMs, look)
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
