import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { NewFact } from '#contract/facts.ts'
import { GuessThrottle, type ShutOut } from '#sip/auth/throttle.ts'
import { type Ban, type Source, SourceWatch } from '#sip/transport/source-watch.ts'
import type { Books } from '#server/dialplan/books.ts'
import { isWithin, networksOf } from '#server/trunks/networks.ts'

export interface BansNeeds {
  clock: Clock
  log: Log
  books: Pick<Books, 'ofDomain' | 'all'>
  tell: (fact: NewFact) => void
  /** Networks that are never banned: addresses, or CIDR form. */
  neverBan: readonly string[]
  isTrunk: (address: string, port: number) => boolean
}

/** Somebody who is not listened to for a while, as the operator sees it. Instants in ms of Unix time. */
export interface BanView {
  readonly id: string
  /** `source`: nothing from there is looked at. `login`, `account`: who guesses passwords there, or from anywhere, at one account. */
  readonly kind: 'source' | 'guessing-source' | 'account' | 'login'
  /** An address, an account, or both. */
  readonly who: string
  readonly reason: string
  readonly until: Millis
  /** Messages and connections that were not looked at; 0 where they are answered like any wrong password. */
  readonly dropped: number
}

/** One alarm for all bans of so long: a thousand attackers are one event. */
const ALARM_EVERY_MS: Millis = 60_000

const KINDS = { source: 'guessing-source', user: 'account', pair: 'login' } as const satisfies Record<ShutOut['kind'], BanView['kind']>

/**
 * Who is not listened to, why, until when, and how to end it. Two things ban: the watch over sources, in front of the parser, and the throttle of
 * guesses. Neither ever takes the line from an office whose phones have proved themselves, from a trunk or from an allowed network.
 */
export class Bans {
  readonly watch: SourceWatch
  readonly throttle: GuessThrottle
  readonly #needs: BansNeeds
  #alarmAfter: Millis = 0
  #untold = 0

  constructor(needs: BansNeeds) {
    const { neverBan } = needs
    const allowed = networksOf(neverBan)
    const { clock, isTrunk } = needs
    this.#needs = needs
    this.watch = new SourceWatch({
      clock,
      vouches: ({ address, port }: Source) => (neverBan.length > 0 && isWithin(allowed, address)) || isTrunk(address, port),
      onBan: (ban) => this.#banned(ban),
    })
    this.throttle = new GuessThrottle({ clock, onShutOut: (shut) => this.#shutOut(shut) })
  }

  /** Those in force, the one that lasts longest first. */
  list(): BanView[] {
    const { clock } = this.#needs
    const wall = (at: Millis): Millis => clock.wall() + at - clock.now()
    const sources = this.watch.bans().map(({ source, reason, until, times, dropped }): BanView => {
      return { id: idOf('source', source), kind: 'source', who: source, reason: `${reason}${timesOf(times)}`, until: wall(until), dropped }
    })
    const logins = this.throttle.shutOuts().map(({ kind, who, failures, until }): BanView => {
      const reason = `${failures} wrong passwords ${SCOPE[kind]}`
      return { id: idOf(kind, who), kind: KINDS[kind], who, reason, until: wall(until), dropped: 0 }
    })
    return [...sources, ...logins].toSorted((a, b) => b.until - a.until)
  }

  /** Ends a ban and forgets what led to it. False when there is none of that id. */
  release(id: string, by: string): boolean {
    const ban = this.list().find((each) => each.id === id)
    if (ban === undefined) return false
    const kind = (Object.keys(KINDS) as ShutOut['kind'][]).find((each) => KINDS[each] === ban.kind)
    if (kind === undefined) {
      // A guesser is counted in both places: whoever is let in is let in.
      this.watch.release(ban.who)
      this.throttle.release('source', ban.who)
    } else this.throttle.release(kind, ban.who)
    this.#needs.log.info('a ban was ended', { who: ban.who, by })
    return true
  }

  #banned({ source, reason, times, since, until }: Ban): void {
    const { clock, log, books, tell } = this.#needs
    const minutes = Math.round((until - since) / 60_000)
    log.warn('a source was banned', { source, reason, times, minutes })
    if (clock.now() < this.#alarmAfter) {
      this.#untold++
      return
    }
    this.#alarmAfter = clock.now() + ALARM_EVERY_MS
    const others = this.#untold === 0 ? '' : `; ${this.#untold} others since the last alarm`
    this.#untold = 0
    const detail = `${source} is not listened to for ${minutes} min: ${reason}${others}`
    for (const { tenant } of books.all()) tell({ kind: 'alarm.raised', tenant, rule: 'source-banned', severity: 'warning', detail })
  }

  /** Only the company whose account it is hears of it. */
  #shutOut({ kind, who, failures, forMs }: ShutOut): void {
    const { log, books, tell } = this.#needs
    log.warn('guessing was stopped', { kind, who, failures })
    if (kind === 'source') {
      this.watch.ban(who, 'guessed the passwords of several accounts')
      return
    }
    const realm = (who.split(' ')[0] ?? '').split('@').at(-1) ?? ''
    const book = books.ofDomain(realm, false)
    if (book === null) return
    const detail = `${who}: ${failures} wrong passwords ${SCOPE[kind]}; logins by it are refused for ${Math.round(forMs / 60_000)} min, phones that know the password are not`
    tell({ kind: 'alarm.raised', tenant: book.tenant, rule: 'password-guessing', severity: 'warning', detail })
  }
}

const SCOPE: Readonly<Record<ShutOut['kind'], string>> = {
  source: 'for several accounts',
  user: 'from several addresses',
  pair: 'for one account from one address',
}

function timesOf(times: number): string {
  return times === 1 ? '' : ` (for the ${times}. time)`
}

function idOf(kind: string, who: string): string {
  return Buffer.from(`${kind} ${who}`).toString('base64url')
}
