import type { Clock } from '#base/clock.ts'
import type { Secret } from '#contract/documents/fields.ts'
import type { Person } from '#contract/documents/people.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import { PinTries, TRIES_A_DAY } from '#server/conferences/pin-tries.ts'
import { endOfLogin, lookAgainMs } from '#server/desks/end-of-login.ts'
import type { Seats } from '#server/desks/seating.ts'
import type { Journal } from '#server/journal/index.ts'

export interface HotDesksNeeds {
  readonly clock: Clock
  readonly journal: Pick<Journal, 'keep' | 'kept' | 'whenKept'>
  readonly tell: (fact: NewFact) => void
  readonly configOf: (tenant: string) => CompiledConfig | null
  readonly secretOf: (tenant: string, secret: Secret) => string | null
  /** Who has logged in where is another: calls from now on go by it. */
  readonly onSeated: (tenant: string) => void
}

/** Somebody who has made a shared phone theirs. */
export interface Login {
  readonly tenant: string
  readonly device: string
  readonly person: string
  /** Their extension. */
  readonly extension: string
  /** Wall time, ms since the Unix epoch. */
  readonly since: number
}

/** Why a login ended. `moved`: they logged in elsewhere; `replaced`: somebody else did here; `expired`: by policy; `removed`: the phone or the person is no more. */
export type LogoutReason = Extract<Fact, { kind: 'desk.logged-out' }>['why']

/** Why somebody is not logged in. `unknown`: there is no such extension with a PIN; whoever tries is not told it from a wrong PIN. */
export type LoginRefusal = Extract<Fact, { kind: 'desk.refused' }>['why']

const prefix = 'desk/'
/** Wrong PINs that a phone takes in a day, of all who use it. */
const phoneTriesADay = 30

/** Who has logged in at which shared phone, of all companies. A login outlives the server, and ends those that it takes the place of. */
export class HotDesks {
  readonly #needs: HotDesksNeeds
  readonly #tries: { readonly person: PinTries; readonly phone: PinTries }
  readonly #logins = new Map<string, Login>()
  readonly #ends = new Map<string, Disposable>()

  constructor(needs: HotDesksNeeds) {
    this.#needs = needs
    const { clock, journal } = needs
    const kept = { clock, keep: (key: string, value: unknown) => journal.keep(key, value), kept: (from: string) => journal.kept(from) }
    this.#tries = {
      person: new PinTries(kept, { prefix: 'desk-tries/', aDay: TRIES_A_DAY }),
      phone: new PinTries(kept, { prefix: 'desk-phone-tries/', aDay: phoneTriesADay }),
    }
    for (const [key, login] of journal.kept(prefix)) if (isLogin(login)) this.#logins.set(key, login)
  }

  /** The configurations are there: logins whose time ran out while nobody looked end, the others will. */
  restore(): void {
    for (const { tenant } of [...this.#logins.values()]) this.examine(tenant)
  }

  of(tenant: string): Login[] {
    return [...this.#logins.values()].filter((each) => each.tenant === tenant)
  }

  at(tenant: string, device: string): Login | null {
    return this.#logins.get(keyOf({ tenant, device })) ?? null
  }

  seatsOf(tenant: string): Seats {
    return new Map(this.of(tenant).map(({ device, person }) => [device, person]))
  }

  /** How long a PIN of the company may be. */
  longestPin(tenant: string): number {
    const people = this.#needs.configOf(tenant)?.people.values() ?? []
    return Math.max(4, ...[...people].map(({ pin }) => (pin === undefined ? 0 : (this.#needs.secretOf(tenant, pin)?.length ?? 0))))
  }

  /** Whether guessing has closed this phone for today. */
  isClosed(tenant: string, device: string): boolean {
    return this.#tries.phone.left(tenant, device, this.#zoneOf(tenant)) === 0
  }

  /** Who has this extension and this PIN. A wrong one is counted, against the extension, where there is such a one, and the phone. */
  check(tenant: string, device: string, given: { extension: string; pin: string }): { person: Person } | { refused: LoginRefusal } {
    const zone = this.#zoneOf(tenant)
    // What is no extension might be a PIN that somebody entered first: it is told to nobody, and kept nowhere.
    const extension = this.#needs.configOf(tenant)?.extensions.has(given.extension) === true ? given.extension : ''
    const counted = [[this.#tries.phone, device] as const, ...(extension === '' ? [] : [[this.#tries.person, extension] as const])]
    if (counted.some(([tries, name]) => tries.left(tenant, name, zone) === 0))
      return this.#refused(tenant, device, extension, 'too-many-tries')
    const person = this.personOf(tenant, given.extension)
    const pin = person?.pin === undefined ? null : this.#needs.secretOf(tenant, person.pin)
    if (person !== null && pin !== null && pin === given.pin) return { person }
    for (const [tries, name] of counted) if (tries.missed(tenant, name, zone) === 0) this.#alarm(tenant, device, extension)
    return this.#refused(tenant, device, extension, pin === null ? 'unknown' : 'wrong-pin')
  }

  /** The person whom an extension leads to. */
  personOf(tenant: string, extension: string): Person | null {
    const config = this.#needs.configOf(tenant)
    const target = config?.extensions.get(extension)?.target
    return target !== undefined && 'person' in target ? (config?.people.get(target.person) ?? null) : null
  }

  /** The phone is theirs from now on; their login elsewhere ends, and that of somebody else here. */
  login(wish: { tenant: string; device: CompiledDevice; person: Person; extension: string }, by: 'phone' | 'api'): Login {
    const { tenant, person, extension } = wish
    const device = wish.device.id
    for (const each of this.of(tenant)) {
      if (each.device === device) this.#end(each, each.person === person.id ? 'moved' : 'replaced')
      else if (each.person === person.id) this.#end(each, 'moved')
    }
    const login = { tenant, device, person: person.id, extension, since: this.#needs.clock.wall() }
    this.#logins.set(keyOf(login), login)
    this.#needs.journal.keep(keyOf(login), login)
    this.#needs.onSeated(tenant)
    this.#needs.tell({ kind: 'desk.logged-in', tenant, device, person: person.id, extension, by })
    // At once: a server that dies now must find them at this phone.
    this.#needs.journal.whenKept(() => undefined)
    this.#limit(login)
    return login
  }

  /** Ends the login at a phone; null: there is none. */
  logout(tenant: string, device: string, why: LogoutReason): Login | null {
    const login = this.at(tenant, device)
    if (login !== null) this.#end(login, why)
    return login
  }

  /** The company's configuration is another. */
  examine(tenant: string): void {
    const config = this.#needs.configOf(tenant)
    for (const login of this.of(tenant)) {
      const target = config?.extensions.get(login.extension)?.target
      const isTheirs = target !== undefined && 'person' in target && target.person === login.person
      if (isTheirs && config?.devices.get(login.device)?.shared === true) this.#limit(login)
      else this.#end(login, 'removed')
    }
  }

  close(): void {
    for (const timer of this.#ends.values()) timer[Symbol.dispose]()
  }

  /** Ends it when the company wants it to. */
  #limit(login: Login): void {
    const key = keyOf(login)
    this.#ends.get(key)?.[Symbol.dispose]()
    this.#ends.delete(key)
    const config = this.#needs.configOf(login.tenant)
    if (config === null) return
    const { clock } = this.#needs
    const now = clock.wall()
    const end = endOfLogin(config, login.since, now)
    if (end === 'never') return
    const left = end === 'open' ? Infinity : Math.max(0, end - now)
    const next = left <= lookAgainMs ? () => this.#end(login, 'expired') : () => this.#limit(login)
    this.#ends.set(key, clock.after(Math.min(left, lookAgainMs), next))
  }

  #end(login: Login, why: LogoutReason): void {
    const key = keyOf(login)
    if (this.#logins.get(key) !== login) return
    const { tenant, device, person, extension } = login
    this.#logins.delete(key)
    this.#ends.get(key)?.[Symbol.dispose]()
    this.#ends.delete(key)
    this.#needs.journal.keep(key, null)
    this.#needs.onSeated(tenant)
    this.#needs.tell({ kind: 'desk.logged-out', tenant, device, person, extension, why })
    this.#needs.journal.whenKept(() => undefined)
  }

  #refused(tenant: string, device: string, extension: string, why: LoginRefusal): { refused: LoginRefusal } {
    this.#needs.tell({ kind: 'desk.refused', tenant, device, extension, why })
    return { refused: why }
  }

  #alarm(tenant: string, device: string, extension: string): void {
    const [whose, where] = extension === '' ? ['a PIN', ''] : [`the PIN of extension ${extension}`, 'for it, or ']
    const detail = `${whose} was entered wrong at phone ${device}, and too often today: no further one is taken ${where}there, until tomorrow`
    this.#needs.tell({ kind: 'alarm.raised', tenant, rule: 'pin-guessing', severity: 'warning', detail })
  }

  #zoneOf(tenant: string): string {
    return this.#needs.configOf(tenant)?.company.timezone ?? 'UTC'
  }
}

function keyOf({ tenant, device }: Pick<Login, 'tenant' | 'device'>): string {
  return `${prefix}${tenant}/${device}`
}

function isLogin(value: unknown): value is Login {
  return typeof value === 'object' && value !== null && 'device' in value && 'person' in value && 'extension' in value && 'since' in value
}
