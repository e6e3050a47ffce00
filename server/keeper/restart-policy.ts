import type { Millis } from '#base/clock.ts'

/** Deaths in a row that are answered at once; more are a crash loop. */
const burst = 5
/** So much life makes up for one death. */
const lifePerDeathMs = 12_000
const firstPauseMs = 250
const longestPauseMs = 30_000
/** Deaths beyond which the pause grows no more; not counted further, so that a minute and a half of life makes up for any history. */
const mostDeaths = burst + 8

/**
 * How long a process rests before it is started again: not at all, unless it dies more than five times within a minute of life;
 * then ever longer, up to half a minute. It never gives up: a phone system that waits can recover.
 */
export class RestartPolicy {
  #deaths = 0

  /** Notes the death of a life of `livedMs` and gives the pause before the next one. A life that never served is no reason to hurry. */
  pauseAfterLife(livedMs: Millis, served: boolean): Millis {
    const before = Math.max(served ? 0 : burst, this.#deaths - livedMs / lifePerDeathMs)
    this.#deaths = Math.min(mostDeaths, before + 1)
    const excess = Math.floor(this.#deaths) - burst
    return excess <= 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (excess - 1))
  }
}
