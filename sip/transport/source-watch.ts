import type { Clock, Millis } from '#base/clock.ts'
import { RecentMap } from '#base/recent-map.ts'
import { sourceOf } from '#sip/transport/source-of.ts'
import { TokenBucket } from '#sip/transport/token-bucket.ts'

/** Where a message came from: the packet's source, never what a header says. */
export interface Source {
  readonly address: string
  readonly port: number
}

/**
 * What a message did that led to nothing. `garbage`: it could not be understood; `unproved`: it was challenged; `guess`: its credentials were
 * wrong; `pointless`: it named no dialog, transaction or method of ours, or repeated itself.
 */
export type Offence = 'garbage' | 'unproved' | 'guess' | 'pointless'

/** A source that is not listened to for a while. */
export interface Ban {
  /** An IPv4 address, or an IPv6 network of 64 bits. */
  readonly source: string
  /** In words, for whoever reads the list. */
  readonly reason: string
  /** Instants on the clock of the watch. */
  readonly since: Millis
  readonly until: Millis
  /** How often this source has been banned, this time included. */
  readonly times: number
  /** Messages and connections that were not looked at because of it. */
  readonly dropped: number
}

export interface SourceWatchOptions {
  clock: Clock
  /** Never banned as a whole: a trunk's address, or one on the operator's list. Asked only when a limit is passed. */
  vouches: (source: Source) => boolean
  onBan: (ban: Ban) => void
  /** Points that a source may owe; each offence costs some, time and success forgive them. Default 400. */
  budget?: number
  /** Points forgiven each second. Default 20. */
  forgivenPerSecond?: number
  /** Sources, and ports of known ones, remembered at most, each. Default 50,000. */
  capacity?: number
}

const COST: Readonly<Record<Offence, number>> = { garbage: 2, unproved: 1, guess: 40, pointless: 1 }

const WORDS: Readonly<Record<Offence, string>> = {
  garbage: 'messages that cannot be understood',
  unproved: 'requests without credentials, one after the other',
  guess: 'wrong passwords',
  pointless: 'requests to calls and subscriptions that do not exist',
}

/** How long the first, second, … ban lasts; the last goes for all that follow. */
const BAN_MS: readonly Millis[] = [60_000, 300_000, 1_800_000, 4 * 3_600_000, 24 * 3_600_000]
/** After so long without an offence the next ban is a first one: addresses change hands, and an office has a bad day now and then. */
const FORGET_MS: Millis = 7 * 24 * 3_600_000
/** How long a stranger's port at a known address is not listened to. */
const ASIDE_MS: Millis = 30_000
/** A source that has proved to know a password is known for so long after: longer than any registration lasts. */
const KNOWN_MS: Millis = 24 * 3_600_000
/** Not for each message of a flood. */
const REMEMBER_MS: Millis = 1_000
/** A known address whose ports together owe so many budgets is listened to sparingly. */
const SPARING_FROM = 5
/** What comes through all the same while a flood lasts, messages per second: a phone that repeats itself gets through. */
const TRICKLE = 50
/** Unproved messages of strangers taken from all of them together, per second; above, strangers share the trickle. */
const STRANGERS_PER_SECOND = 4_000

/**
 * Decides in front of the parser whose messages are looked at at all. Only what leads to nothing counts against a source, so that no rate of
 * honest traffic is ever too high: who floods, guesses or sends garbage is banned as a whole, each time for longer. A source from which a
 * phone has proved itself, and one that is vouched for, is never banned: there only the port that offends is set aside, and a port of which
 * a phone has proved itself still gets through whatever belongs to calls or carries credentials. Memory is bounded.
 */
export class SourceWatch {
  readonly #clock: Clock
  readonly #vouches: SourceWatchOptions['vouches']
  readonly #onBan: SourceWatchOptions['onBan']
  readonly #budget: number
  readonly #forgivenPerMs: number
  readonly #debts: RecentMap<Debt>
  readonly #bans: RecentMap<Banned>
  /** Of known addresses: `address port` to the instant up to which it is set aside; a known address alone: listened to sparingly. */
  readonly #aside: RecentMap<Millis>
  /** When a source, or `address port`, last proved itself. */
  readonly #known: RecentMap<Millis>
  readonly #trickle: TokenBucket
  readonly #strangers: TokenBucket
  #strangersFlood = false
  #dropped = 0

  constructor(options: SourceWatchOptions) {
    const capacity = options.capacity ?? 50_000
    this.#clock = options.clock
    this.#vouches = options.vouches
    this.#onBan = options.onBan
    this.#budget = options.budget ?? 400
    this.#forgivenPerMs = (options.forgivenPerSecond ?? 20) / 1000
    this.#debts = new RecentMap(capacity)
    this.#bans = new RecentMap(capacity)
    this.#aside = new RecentMap(capacity)
    this.#known = new RecentMap(capacity)
    this.#trickle = new TokenBucket(options.clock, TRICKLE)
    this.#strangers = new TokenBucket(options.clock, STRANGERS_PER_SECOND)
  }

  /** Messages and connections not looked at, since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Whether a message is to be looked at. Costs two comparisons while nobody is banned. */
  hears(from: Source, bytes: Uint8Array): boolean {
    if (this.#bans.size === 0 && this.#aside.size === 0 && !this.#strangersFlood) return true
    const source = sourceOf(from.address)
    return this.#isBanned(source) ? false : this.#hearsUnbanned(source, from, bytes) || this.#drop()
  }

  /** Whether a connection from there may be made. */
  admits(address: string): boolean {
    return this.#bans.size === 0 || !this.#isBanned(sourceOf(address))
  }

  /** A message from there led to nothing. */
  offends(from: Source, what: Offence): void {
    const source = sourceOf(from.address)
    if (!this.#isKnown(source) && !this.#strangers.take()) this.#strangersFlood = true
    const debt = this.#owe(source, COST[what])
    if (debt.points <= this.#budget || this.#bans.get(source) !== undefined) return
    if (!this.#isKnown(source) && !this.#vouches(from)) this.ban(source, WORDS[what])
    else this.#setAside(source, from, debt, what)
  }

  /** Who sent this has proved to know a password of ours. Forgives the challenge that went before. */
  proves(from: Source): void {
    const now = this.#clock.now()
    const source = sourceOf(from.address)
    const port = portOf(source, from)
    this.#known.set(source, now)
    this.#known.set(port, now)
    this.#forgive(source)
    this.#forgive(port)
  }

  #forgive(key: string): void {
    const debt = this.#debts.get(key)
    if (debt !== undefined) debt.points = Math.max(0, debt.points - 2)
  }

  /** Whether a phone has proved itself from there, or somebody vouches for it. */
  trusts(from: Source): boolean {
    return this.#isKnown(sourceOf(from.address)) || this.#vouches(from)
  }

  /** Bans a source that is not known, whatever it owes; gives the ban, or null when it is known or vouched for. */
  ban(address: string, why: string): Ban | null {
    const source = sourceOf(address)
    if (this.#isKnown(source) || this.#vouches({ address, port: 0 })) return null
    const now = this.#clock.now()
    const debt = this.#owe(source, 0)
    const forMs = BAN_MS[Math.min(debt.bans, BAN_MS.length - 1)] ?? 0
    debt.bans++
    debt.points = 0
    const ban: Banned = { source, reason: why, since: now, until: now + forMs, times: debt.bans, dropped: 0 }
    this.#bans.set(source, ban)
    this.#onBan(ban)
    return ban
  }

  /** Those in force. */
  bans(): readonly Ban[] {
    const now = this.#clock.now()
    return [...this.#bans.entries()].flatMap(([, ban]) => (ban.until > now ? [{ ...ban }] : []))
  }

  /** Listens again, and forgets what went before. False when there was no ban. */
  release(source: string): boolean {
    this.#debts.delete(source)
    return this.#bans.delete(source)
  }

  #hearsUnbanned(source: string, from: Source, bytes: Uint8Array): boolean {
    const known = this.#isKnown(source)
    if (this.#strangersFlood && !known && !this.#vouches(from)) return this.#hearsStranger()
    const now = this.#clock.now()
    const port = portOf(source, from)
    const isAside = (this.#aside.get(port) ?? 0) > now
    const isSparing = (this.#aside.get(source) ?? 0) > now
    if (!isAside && !isSparing) return this.#forgetAside(port, source)
    const itself = this.#isKnown(port) || this.#vouches(from)
    if (itself && isUrgent(bytes)) return true
    return (itself || !isAside) && this.#trickle.take()
  }

  #hearsStranger(): boolean {
    if (this.#strangers.isFull) this.#strangersFlood = false
    return !this.#strangersFlood || this.#trickle.take()
  }

  #setAside(source: string, from: Source, debt: Debt, what: Offence): void {
    const until = this.#clock.now() + ASIDE_MS
    if (debt.points > SPARING_FROM * this.#budget) {
      debt.points = this.#budget
      this.#aside.set(source, until)
    }
    const port = this.#owe(portOf(source, from), COST[what])
    if (port.points > this.#budget / 2) this.#aside.set(portOf(source, from), until)
  }

  #isBanned(source: string): boolean {
    const ban = this.#bans.get(source)
    if (ban === undefined) return false
    if (ban.until <= this.#clock.now()) return this.#bans.delete(source) && false
    ban.dropped++
    this.#drop()
    return true
  }

  #isKnown(key: string): boolean {
    const at = this.#known.get(key)
    return at !== undefined && this.#clock.now() - at < KNOWN_MS
  }

  #forgetAside(port: string, source: string): true {
    this.#aside.delete(port)
    this.#aside.delete(source)
    return true
  }

  #owe(key: string, points: number): Debt {
    const now = this.#clock.now()
    const debt = this.#debts.get(key) ?? { points: 0, at: now, rememberedAt: Number.NEGATIVE_INFINITY, bans: 0 }
    if (now - debt.at > FORGET_MS) debt.bans = 0
    debt.points = Math.max(0, debt.points - (now - debt.at) * this.#forgivenPerMs) + points
    debt.at = now
    if (now - debt.rememberedAt >= REMEMBER_MS) {
      debt.rememberedAt = now
      this.#debts.set(key, debt)
    }
    return debt
  }

  #drop(): false {
    this.#dropped++
    return false
  }
}

interface Debt {
  points: number
  /** Up to this instant, forgiving has been reckoned. */
  at: Millis
  /** When it was last put among the latest, of which none is forgotten. */
  rememberedAt: Millis
  bans: number
}

type Banned = { -readonly [K in keyof Ban]: Ban[K] }

function portOf(source: string, { port }: Source): string {
  return `${source} ${port}`
}

/** As far as a glance tells: a response, what belongs to a dialog, or what carries credentials. */
function isUrgent(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, GLANCE_BYTES)).toString('latin1')
  return URGENT.test(text)
}
const GLANCE_BYTES = 4_096
const URGENT = /^(?:SIP\/2\.0 |ACK |CANCEL |BYE )|\n(?:t|to)[ \t]*:[^\n]*;[ \t]*tag=|\nauthorization[ \t]*:/i
