import type { Clock, Millis } from '#base/clock.ts'
import { RecentMap } from '#base/recent-map.ts'
import { sourceOf } from '#sip/transport/source-of.ts'

/** Somebody was shut out, told once per shutting out: for the alarm and the log. */
export interface ShutOut {
  /** `source`: an address guesses at several users. `user`: one user is guessed at from many addresses. `pair`: one user from one address. */
  readonly kind: 'source' | 'user' | 'pair'
  /** The address, `user@realm`, or `user@realm address`. */
  readonly who: string
  /** Wrong answers within the window. */
  readonly failures: number
  readonly forMs: Millis
}

export interface ThrottleOptions {
  clock: Clock
  onShutOut: (event: ShutOut) => void
  /** Wrong answers that one address may give before it is shut out, and that it may give for one user before it is shut out from that one. */
  sourceLimit?: number
  /** Wrong answers for one user from all addresses together before strange addresses are shut out from it. */
  userLimit?: number
  /** One wrong answer is forgiven each time this span passes. */
  forgiveMs?: Millis
  /** How long the first shutting out lasts; each further one twice as long, up to a day. */
  shutOutMs?: Millis
  /** Addresses, users and proven pairs remembered at most, each; the longest untouched go first. */
  capacity?: number
}

/** So many wrong answers for one user count against their address: a phone with an old password must not shut out the office around it. */
const COUNTED_PER_USER = 3

const DEFAULTS = { sourceLimit: 8, userLimit: 30, forgiveMs: 60_000, shutOutMs: 10 * 60_000, capacity: 50_000 } as const

/** No shutting out lasts longer. */
const LONGEST_MS = 24 * 3_600_000

/** Who has not guessed for so long begins anew: a phone with an old password now and then is not shut out for a day. */
const FORGET_MS = 7 * 24 * 3_600_000

/** Proven pairs are trusted for so long after their last success: longer than any registration lasts. */
const PROVEN_MS = 24 * 3_600_000

/**
 * Slows down who guesses passwords, by address and by user. Never locks out a real phone: an address that has proved to know the user's
 * password is let through whatever others do, even when it shares its address with the guesser behind one NAT. The price is that such a
 * neighbour may go on guessing at that one user.
 */
export class GuessThrottle {
  readonly #clock: Clock
  readonly #onShutOut: (event: ShutOut) => void
  readonly #settings: typeof DEFAULTS | Required<Omit<ThrottleOptions, 'clock' | 'onShutOut'>>
  readonly #sources: RecentMap<Guesses>
  readonly #users: RecentMap<Guesses>
  /** By `user@realm address`. */
  readonly #pairs: RecentMap<Guesses>
  /** Instant of the last success by `user@realm address`. */
  readonly #proven: RecentMap<Millis>
  /** Who was asked about last: what is told next is of them. */
  #last = { address: '', user: '', realm: '', pair: '@ ' }

  constructor(options: ThrottleOptions) {
    this.#clock = options.clock
    this.#onShutOut = options.onShutOut
    const given = Object.entries(options).filter(([, value]) => value !== undefined)
    this.#settings = { ...DEFAULTS, ...Object.fromEntries(given) }
    this.#sources = new RecentMap(this.#settings.capacity)
    this.#users = new RecentMap(this.#settings.capacity)
    this.#pairs = new RecentMap(this.#settings.capacity)
    this.#proven = new RecentMap(this.#settings.capacity)
  }

  /** Whether credentials from `address` for `user` may be looked at. Ask before verifying. */
  admits(address: string, user: string, realm: string): boolean {
    const now = this.#clock.now()
    const pair = this.#pairOf(address, user, realm)
    if (this.#isProven(pair)) return true
    const who = `${user}@${realm}`
    return !isShut(this.#pairs.get(pair), now) && !isShut(this.#sources.get(sourceOf(address)), now) && !isShut(this.#users.get(who), now)
  }

  /** The credentials were wrong. Missing, stale or replayed ones are no guesses. */
  failed(address: string, user: string, realm: string): void {
    const { sourceLimit } = this.#settings
    const inARow = this.#count('pair', this.#pairs, this.#pairOf(address, user, realm), sourceLimit)
    if (inARow <= COUNTED_PER_USER) this.#count('source', this.#sources, sourceOf(address), sourceLimit)
    this.#count('user', this.#users, `${user}@${realm}`, this.#settings.userLimit)
  }

  /** The credentials were right. */
  succeeded(address: string, user: string, realm: string): void {
    this.#proven.set(this.#pairOf(address, user, realm), this.#clock.now())
  }

  #pairOf(address: string, user: string, realm: string): string {
    const last = this.#last
    if (last.address !== address || last.user !== user || last.realm !== realm)
      this.#last = { address, user, realm, pair: `${user}@${realm} ${sourceOf(address)}` }
    return this.#last.pair
  }

  #isProven(key: string): boolean {
    const at = this.#proven.get(key)
    return at !== undefined && this.#clock.now() - at < PROVEN_MS
  }

  #count(kind: ShutOut['kind'], records: RecentMap<Guesses>, who: string, limit: number): number {
    const now = this.#clock.now()
    const { forgiveMs, shutOutMs } = this.#settings
    const record = records.get(who) ?? { failures: 0, at: now, shutUntil: 0, times: 0 }
    if (now - Math.max(record.at, record.shutUntil) > FORGET_MS) record.times = 0
    const forgiven = Math.floor((now - record.at) / forgiveMs)
    record.failures = Math.max(0, record.failures - forgiven) + 1
    record.at = record.failures === 1 ? now : record.at + forgiven * forgiveMs
    records.set(who, record)
    if (record.failures < limit || isShut(record, now)) return record.failures
    const forMs = Math.min(shutOutMs * 2 ** record.times++, LONGEST_MS)
    record.shutUntil = now + forMs
    this.#onShutOut({ kind, who, failures: record.failures, forMs })
    return record.failures
  }

  /** Who is shut out now, `until` on this throttle's clock. */
  shutOuts(): (Omit<ShutOut, 'forMs'> & { readonly until: Millis })[] {
    const now = this.#clock.now()
    return this.#records().flatMap(([kind, records]) =>
      [...records.entries()].flatMap(([who, record]) =>
        isShut(record, now) ? [{ kind, who, failures: record.failures, until: record.shutUntil }] : [],
      ),
    )
  }

  /** Forgets what was counted against `who`. False when nothing was. */
  release(kind: ShutOut['kind'], who: string): boolean {
    return this.#records().some(([each, records]) => each === kind && records.delete(who))
  }

  #records(): readonly (readonly [ShutOut['kind'], RecentMap<Guesses>])[] {
    return [
      ['source', this.#sources],
      ['user', this.#users],
      ['pair', this.#pairs],
    ]
  }
}

interface Guesses {
  failures: number
  /** Up to this instant, forgiving has been reckoned. */
  at: Millis
  shutUntil: Millis
  /** How often it has been shut out. */
  times: number
}

function isShut(record: Guesses | undefined, now: Millis): boolean {
  return record !== undefined && record.shutUntil > now
}
