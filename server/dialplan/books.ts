import type { Log } from '#base/log.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { plainDigits } from '#server/numbering/numbering.ts'

/** One company as calls see it now. */
export interface Book {
  readonly tenant: string
  readonly version: number
  readonly config: CompiledConfig
}

/** Old versions kept for calls that began with them; a call that outlives so many changes goes on with the oldest kept. */
const versionsKept = 16

/** The configurations of all companies, compiled: the current one for new calls, earlier ones for calls that began with them. */
export class Books {
  #companies = new Map<string, Book[]>()
  #byDomain = new Map<string, string>()
  #first: string | null = null
  #emergency: ReadonlySet<string> = new Set()
  /** The current ones as they were compiled. */
  #bare: Map<string, Book> = new Map()
  #log: Log
  #seated: (tenant: string, config: CompiledConfig) => CompiledConfig

  /** `seated`: the configuration as it is while people have logged in at shared phones. */
  constructor(log: Log, seated: (tenant: string, config: CompiledConfig) => CompiledConfig = (_tenant, config) => config) {
    this.#log = log
    this.#seated = seated
  }

  /** Takes up a new current version. Calls in progress keep theirs. */
  take(book: Book): void {
    const before = this.#companies.get(book.tenant)
    this.#bare.set(book.tenant, book)
    this.#companies.set(book.tenant, [this.#asSeated(book), ...(before ?? [])].slice(0, versionsKept))
    this.#first ??= book.tenant
    this.#emergency = new Set([...this.all()].flatMap(({ config }) => [...(config.emergency?.numbers ?? [])]))
    for (const [domain, tenant] of this.#byDomain) if (tenant === book.tenant) this.#byDomain.delete(domain)
    for (const domain of book.config.settled.sipDomains) {
      const holder = this.#byDomain.get(domain)
      if (holder === undefined) this.#byDomain.set(domain, book.tenant)
      else this.#log.warn('SIP domain is taken by another company', { domain, tenant: book.tenant })
    }
  }

  /** Somebody has logged in at a shared phone, or out: the current version is as it is now, also for calls that began with it. */
  reseat(tenant: string): void {
    const bare = this.#bare.get(tenant)
    const [, ...older] = this.#companies.get(tenant) ?? []
    if (bare !== undefined) this.#companies.set(tenant, [this.#asSeated(bare), ...older])
  }

  #asSeated(book: Book): Book {
    return { ...book, config: this.#seated(book.tenant, book.config) }
  }

  current(tenant: string): Book | null {
    return this.#companies.get(tenant)?.[0] ?? null
  }

  /** The version a call keeps. */
  at(tenant: string, version: number): CompiledConfig {
    const kept = this.#companies.get(tenant)
    const found = kept?.find((book) => book.version === version) ?? kept?.at(version < (kept.at(-1)?.version ?? 0) ? -1 : 0)
    if (found === undefined) throw new Error(`company ${tenant} has no configuration`)
    return found.config
  }

  /**
   * The company of a SIP domain. Phones that know us only by an address, and none of the domains, belong to the first company: on most
   * systems there is only that one.
   */
  ofDomain(host: string, isAddress: boolean): Book | null {
    const tenant = this.#byDomain.get(host.toLowerCase()) ?? (isAddress ? this.#first : null)
    return tenant === null ? null : this.current(tenant)
  }

  /**
   * Whether this is an emergency number of any company, written as people write numbers. Asked before it is known who calls, so that an
   * overloaded system does not turn away the call that matters.
   */
  isEmergency(dialled: string): boolean {
    return this.#emergency.has(plainDigits(dialled))
  }

  *all(): IterableIterator<Book> {
    for (const [book] of this.#companies.values()) if (book !== undefined) yield book
  }
}
