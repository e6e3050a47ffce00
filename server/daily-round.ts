import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'

/** Housekeeping that nobody waits for. It may fail: it is tried again the next day. */
export interface Chore {
  /** For the log. */
  name: string
  work: () => Promise<void>
}

const dayMs: Millis = 24 * 3_600_000
/** After a start there is better to do; a system restarted every night still gets round. */
const firstMs: Millis = 10 * 60_000

/** Does the chores once a day, one after the other, from ten minutes after the start until disposed of. */
export function dailyRound(clock: Clock, log: Log, chores: readonly Chore[]): Disposable {
  let timer: Disposable
  const round = async (): Promise<void> => {
    for (const { name, work } of chores) {
      await work().catch((fault: unknown) =>
        log.warn('a daily chore was not done', { name, why: fault instanceof Error ? fault.message : String(fault) }),
      )
    }
  }
  const arm = (ms: Millis): void => {
    timer = clock.after(ms, () => {
      arm(dayMs)
      void round()
    })
  }
  arm(firstMs)
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
