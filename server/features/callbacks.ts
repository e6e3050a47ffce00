import type { Clock } from '#base/clock.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import type { Call } from '#calls/call.ts'
import type { Journal } from '#server/journal/index.ts'
import type { PresenceState } from '#server/presence/pidf.ts'

export interface CallbackNeeds {
  clock: Clock
  journal: Pick<Journal, 'keep' | 'kept'>
  tell: (fact: NewFact) => void
  /** How it stands with the phones behind a number. */
  stateOf: (tenant: string, number: string) => PresenceState
  /** Rings the phones of `extension`, and then whom they wanted. Null: it cannot be. */
  call: (tenant: string, extension: string, to: string) => Pick<Call, 'id'> | null
}

/** Somebody is to be called back when whom they wanted can be had (ETSI EN 300 359 CCBS, EN 301 134 CCNR). */
export interface Callback {
  readonly tenant: string
  /** Whose phones ring first. */
  readonly extension: string
  readonly to: string
  /** `use`: whoever did not answer is waited for until they have used their phone. `free`: until they are free. */
  readonly waitsFor: 'free' | 'use'
  /** Wall time, ms since the Unix epoch. */
  readonly until: number
}

const prefix = 'callback/'
/** So long a request lives. */
const lifeMs = 60 * 60_000
/** Whoever has just hung up is given time to make a call of their own. */
const guardMs = 3_000
/** A failed call is remembered for so long, for the code that asks to be called back. */
const failedMs = 10 * 60_000
const mostFailed = 10_000
/** Requests of one company at most. */
const mostWaiting = 1_000

/** Requests to be called back, of all companies: one for each pair. Reads the facts of calls, and never touches one. */
export class Callbacks {
  readonly #needs: CallbackNeeds
  readonly #waiting = new Map<string, Callback>()
  readonly #timers = new Map<string, Disposable>()
  /** Internal calls in progress: who calls whom. */
  readonly #calls = new Map<string, { from: string; to: string }>()
  /** The last that each extension did not reach. */
  readonly #failed = new Map<string, { to: string; waitsFor: Callback['waitsFor']; at: number }>()
  readonly #guards = new Map<string, Disposable>()

  constructor(needs: CallbackNeeds) {
    this.#needs = needs
  }

  /** Takes up what an earlier life of the server left. */
  restore(): void {
    for (const kept of this.#needs.journal.kept(prefix).values()) if (isCallback(kept)) this.#put(kept)
  }

  of(tenant: string): Callback[] {
    return [...this.#waiting.values()].filter((each) => each.tenant === tenant)
  }

  /** Whom the extension did not reach in its last call, and how they are to be waited for; null: nobody lately. */
  failedOf(tenant: string, extension: string): { to: string; waitsFor: Callback['waitsFor'] } | null {
    const failed = this.#failed.get(`${tenant}/${extension}`)
    return failed === undefined || failed.at + failedMs < this.#needs.clock.now() ? null : failed
  }

  /** A request for a pair that has one already begins anew; null: the company has too many. */
  request(tenant: string, extension: string, wish: { to: string; waitsFor: Callback['waitsFor'] }): Callback | null {
    const { to, waitsFor } = wish
    const callback = { tenant, extension, to, waitsFor, until: this.#needs.clock.wall() + lifeMs }
    if (!this.#waiting.has(keyOf(callback)) && this.of(tenant).length >= mostWaiting) return null
    this.#put(callback)
    this.#needs.journal.keep(keyOf(callback), callback)
    this.#needs.tell({ kind: 'callback.requested', tenant, extension, to })
    this.#look(callback)
    return callback
  }

  /** Withdraws what an extension has asked for, or one of it; how many there were. */
  cancel(tenant: string, extension: string, to?: string): number {
    const found = this.of(tenant).filter((each) => each.extension === extension && (to === undefined || each.to === to))
    for (const callback of found) this.#end(callback, 'cancelled')
    return found.length
  }

  /** Hears every fact, after the state that it tells of. */
  hear(fact: Fact): void {
    const { tenant, call } = fact
    switch (fact.kind) {
      case 'call.started':
        if (fact.direction === 'internal' && call !== undefined) this.#calls.set(call, { from: fact.from.number, to: fact.to.number })
        return
      case 'call.ended':
        this.#ended(fact)
        this.#lookAll(tenant)
        return
      case 'leg.answered':
        this.#used(tenant)
        return
      case 'leg.ended':
      case 'device.registered':
        this.#lookAll(tenant)
        return
      default:
    }
  }

  close(): void {
    for (const timer of [...this.#timers.values(), ...this.#guards.values()]) timer[Symbol.dispose]()
  }

  #ended(fact: Extract<Fact, { kind: 'call.ended' }>): void {
    const pair = this.#calls.get(fact.call ?? '')
    this.#calls.delete(fact.call ?? '')
    const { kind, by } = fact.outcome
    const isMissed = kind === 'busy' || kind === 'no-answer' || kind === 'unreachable' || (kind === 'cancelled' && by === 'caller')
    if (pair === undefined || !isMissed) return
    const key = `${fact.tenant}/${pair.from}`
    this.#failed.delete(key)
    const waitsFor = kind === 'no-answer' || kind === 'cancelled' ? 'use' : 'free'
    this.#failed.set(key, { to: pair.to, waitsFor, at: this.#needs.clock.now() })
    if (this.#failed.size > mostFailed) this.#failed.delete(this.#failed.keys().next().value ?? '')
  }

  /** Who did not answer is on the phone: there again, and waited for like anybody who is busy. */
  #used(tenant: string): void {
    if (this.#waiting.size === 0) return
    for (const callback of this.of(tenant)) {
      if (callback.waitsFor !== 'use' || this.#needs.stateOf(tenant, callback.to) !== 'on-the-phone') continue
      const free: Callback = { ...callback, waitsFor: 'free' }
      this.#waiting.set(keyOf(free), free)
      this.#needs.journal.keep(keyOf(free), free)
    }
  }

  #lookAll(tenant: string): void {
    if (this.#waiting.size > 0) for (const callback of this.of(tenant)) this.#look(callback)
  }

  /** Both are free: they are called when they still are a little later. */
  #look(callback: Callback): void {
    const key = keyOf(callback)
    if (!this.#mayBegin(callback) || this.#guards.has(key)) return
    const guard = this.#needs.clock.after(guardMs, () => {
      this.#guards.delete(key)
      const now = this.#waiting.get(key)
      if (now !== undefined && this.#mayBegin(now)) this.#begin(now)
    })
    this.#guards.set(key, guard)
  }

  #mayBegin({ tenant, extension, to, waitsFor }: Callback): boolean {
    const isFree = (number: string): boolean => this.#needs.stateOf(tenant, number) === 'available'
    return waitsFor === 'free' && isFree(to) && isFree(extension)
  }

  #begin(callback: Callback): void {
    const { tenant, extension, to } = callback
    const call = this.#needs.call(tenant, extension, to)
    if (call === null) this.#look(callback)
    else this.#end(callback, 'called', call.id)
  }

  #put(callback: Callback): void {
    const key = keyOf(callback)
    this.#timers.get(key)?.[Symbol.dispose]()
    this.#waiting.set(key, callback)
    const left = Math.max(0, callback.until - this.#needs.clock.wall())
    this.#timers.set(
      key,
      this.#needs.clock.after(left, () => this.#end(callback, 'expired')),
    )
  }

  #end(callback: Callback, why: 'called' | 'cancelled' | 'expired', call?: string): void {
    const key = keyOf(callback)
    const { tenant, extension, to } = callback
    this.#waiting.delete(key)
    for (const timers of [this.#timers, this.#guards]) {
      timers.get(key)?.[Symbol.dispose]()
      timers.delete(key)
    }
    this.#needs.journal.keep(key, null)
    this.#needs.tell({ kind: 'callback.ended', tenant, extension, to, why, ...(call !== undefined && { begun: call }) })
  }
}

function keyOf({ tenant, extension, to }: Pick<Callback, 'tenant' | 'extension' | 'to'>): string {
  return `${prefix}${tenant}/${extension}/${to}`
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'object' && value !== null && 'extension' in value && 'waitsFor' in value && 'until' in value && 'to' in value
}
