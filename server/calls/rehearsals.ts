import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'

/** The header by which a call through a trunk names its rehearsal. Means nothing without a ticket that was given out for it. */
export const rehearsalHeader = 'X-Centrala-Rehearsal'

const lifeMs = 60_000
const most = 1_000

/**
 * Tickets for calls that try out a flow at another date: given to somebody of the company, good for one call within a minute. All else about
 * such a call is real.
 */
export class Rehearsals {
  #clock: Clock
  #random: Random
  #tickets = new Map<string, { tenant: string; at: number; until: number }>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** `at`: the wall time to pretend when the call begins, ms since the Unix epoch. */
  issue(tenant: string, at: number): string {
    const now = this.#clock.now()
    for (const [ticket, { until }] of this.#tickets) if (until <= now || this.#tickets.size >= most) this.#tickets.delete(ticket)
    const ticket = this.#random.hex(16)
    this.#tickets.set(ticket, { tenant, at, until: now + lifeMs })
    return ticket
  }

  /** Uses up a ticket; null when it is none of this company's. */
  redeem(tenant: string, ticket: string | undefined): number | null {
    const found = ticket === undefined ? undefined : this.#tickets.get(ticket)
    if (ticket === undefined || found === undefined || found.tenant !== tenant) return null
    this.#tickets.delete(ticket)
    return found.until > this.#clock.now() ? found.at : null
  }
}
