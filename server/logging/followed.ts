import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Fact } from '#contract/facts.ts'

/** Whose calls are logged in full: one call, those of one phone, or all of the company. */
export interface FollowWish {
  call?: string
  device?: string
}

/** A wish that is in force. `until`: milliseconds since the Unix epoch. */
export interface Followed extends FollowWish {
  id: string
  until: number
  by: string
}

interface Rule extends Followed {
  tenant: string
  timer: Disposable
  /** Calls in which the phone is, or was. */
  calls: Set<string>
}

/** Of one company: more would be no logging of single calls any more. */
const mostRules = 20

/**
 * Raises the level of the log for single calls, phones or companies while the system runs, until an instant: every fact of such a call becomes a
 * line with the call's id. Digits are left out, as they may be a PIN or a card; facts hold no other secrets.
 */
export class FollowedCalls {
  readonly #clock: Clock
  readonly #log: Log
  readonly #rules = new Map<string, Rule>()
  #last = 0

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** Null: too many already. */
  follow(tenant: string, wish: FollowWish, { ms, by }: { ms: Millis; by: string }): Followed | null {
    if (this.list(tenant).length >= mostRules) return null
    const id = String(++this.#last)
    const timer = this.#clock.after(ms, () => void this.#rules.delete(id))
    const followed = { id, ...wish, until: this.#clock.wall() + ms, by }
    this.#rules.set(id, { ...followed, tenant, timer, calls: new Set(wish.call === undefined ? [] : [wish.call]) })
    this.#log.info('calls are logged in full', { tenant, ...wish, until: new Date(followed.until).toISOString(), by })
    return followed
  }

  list(tenant: string): Followed[] {
    return [...this.#rules.values()]
      .filter((rule) => rule.tenant === tenant)
      .map(({ id, until, by, call, device }) => ({
        id,
        until,
        by,
        ...(call !== undefined && { call }),
        ...(device !== undefined && { device }),
      }))
  }

  /** False: there is no such rule of this company. */
  stop(tenant: string, id: string): boolean {
    const rule = this.#rules.get(id)
    if (rule === undefined || rule.tenant !== tenant) return false
    rule.timer[Symbol.dispose]()
    return this.#rules.delete(id)
  }

  /** Every fact comes through here; without a rule it costs one look. */
  hear(fact: Fact): void {
    if (this.#rules.size === 0 || fact.call === undefined) return
    const { call } = fact
    const rules = [...this.#rules.values()].filter((rule) => isAbout(rule, fact, call))
    if (rules.length > 0) this.#write(fact)
    if (fact.kind === 'call.ended') for (const rule of rules) rule.calls.delete(call)
  }

  #write({ kind, ...fields }: Fact): void {
    this.#log.info(kind, kind === 'digit.pressed' ? { ...fields, digit: '?' } : fields)
  }
}

function isAbout(rule: Rule, fact: Fact, call: string): boolean {
  if (rule.tenant !== fact.tenant) return false
  if (rule.call === undefined && rule.device === undefined) return true
  if (fact.kind === 'leg.started' && fact.endpoint.kind === 'device' && fact.endpoint.id === rule.device) rule.calls.add(call)
  return rule.calls.has(call)
}
