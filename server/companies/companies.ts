import type { Log } from '#base/log.ts'
import { compile } from '#server/config/compile.ts'
import { readValues } from '#server/config/read.ts'
import type { ConfigStore, ConfigVersion } from '#server/config-store/index.ts'
import type { Book, Books } from '#server/dialplan/books.ts'
import type { Prompts } from '#server/prompts/prompts.ts'
import type { TrunkBoard } from '#server/trunks/trunk-board.ts'
import type { CallerIdentity } from '#server/stir/caller-identity.ts'
import { secretsOf } from '#server/companies/secrets.ts'

export interface CompaniesNeeds {
  store: ConfigStore
  books: Books
  prompts: Prompts
  trunks: TrunkBoard
  identity: CallerIdentity
  log: Log
  /** A new version is in force: phones that are gone must be forgotten, and so on. */
  onTaken?: (book: Book) => void
}

/** Puts every company's current configuration in force, at the start and at each change, without touching a call in progress. */
export class Companies {
  #needs: CompaniesNeeds
  #subscription: Disposable | null = null

  constructor(needs: CompaniesNeeds) {
    this.#needs = needs
  }

  start(): void {
    const { store } = this.#needs
    for (const tenant of store.tenants()) {
      const version = store.current(tenant)
      if (version !== null) this.#take(tenant, version)
    }
    this.#subscription = store.subscribe((tenant, version) => this.#take(tenant, version))
  }

  close(): void {
    this.#subscription?.[Symbol.dispose]()
  }

  #take(tenant: string, version: ConfigVersion): void {
    const { books, prompts, trunks, identity, store, log } = this.#needs
    const { documents, problems } = readValues(version.documents)
    if (problems.length > 0)
      log.error('stored configuration has documents this version cannot read', {
        tenant,
        version: version.version,
        problems: problems.slice(0, 5),
      })
    if (!documents.some((document) => document.kind === 'company')) return
    const book: Book = { tenant, version: version.version, config: compile(documents) }
    books.take(book)
    const reveal = secretsOf(store, tenant)
    trunks.configure(tenant, book.config.trunks.values(), (trunk) => (trunk.password === null ? null : reveal(trunk.password)))
    const { signing } = book.config.settled
    if (!identity.configure(tenant, signing, signing === null ? null : reveal(signing.privateKey)))
      log.error('calls are not signed: the private key cannot be used', { tenant })
    void prompts.prepare(tenant, book.config)
    this.#needs.onTaken?.(book)
  }
}
