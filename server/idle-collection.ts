import type { Clock, Millis } from '#base/clock.ts'

export interface IdleCollectionNeeds {
  clock: Clock
  /** Calls in progress. */
  calls: () => number
  /** Messages received since the start. */
  received: () => number
  /** Collects garbage and gives memory back; stops everything for some 150 ms. */
  collect: () => void
}

/** A look this often; what it sees must hold from one look to the next. */
const lookMs: Millis = 20_000
/** More messages between two looks are no idleness. */
const fewMessages = 100
/** Between two collections. */
const restMs: Millis = 3_600_000

/**
 * V8 collects when memory is asked for, and so an idle process keeps what its start and its last busy hour have left. This has it collected when
 * nobody calls and hardly anybody says anything: soon after the start, and once an hour at the most. Disposing ends it.
 */
export function collectWhenIdle({ clock, calls, received, collect }: IdleCollectionNeeds): Disposable {
  let seen = received()
  let wasIdle = false
  let notBefore = Number.NEGATIVE_INFINITY
  let timer: Disposable
  const look = (): void => {
    const now = received()
    const isIdle = calls() === 0 && now - seen < fewMessages
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
