import { isIP } from 'node:net'
import type { NewFact } from '#contract/facts.ts'
import type { Flow, KeptDialog } from '#sip/agent.ts'
import type { Binding, KeptBinding, RegistrarEvents, Unbound } from '#sip/registrar/binding.ts'
import type { Registrar } from '#sip/registrar/registrar.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { Journal } from '#server/journal/index.ts'

export interface RegistrationNeeds {
  books: Books
  journal: Pick<Journal, 'keep' | 'kept'>
  tell: (fact: NewFact) => void
  /** A phone is known to be there, from an earlier life of the server. */
  knows?: (flow: Flow) => void
  /** Hears of each phone that is bound, from an earlier life, too, and of each that is no more. */
  keepsAlive?: { bound(binding: Binding): void; unbound(binding: Binding): void }
}

const prefix = 'binding/'

/** Keeps the registrations of phones over restarts, and tells when a phone comes or goes. */
export class DeviceRegistrations implements RegistrarEvents {
  #needs: RegistrationNeeds
  #registrar: Registrar | null = null

  constructor(needs: RegistrationNeeds) {
    this.#needs = needs
  }

  serve(registrar: Registrar): void {
    this.#registrar = registrar
  }

  /** Takes up what an earlier life of the server had: phones need not register anew. */
  restore(): number {
    const kept = [...this.#needs.journal.kept(prefix).values()].filter(isKeptBinding)
    this.#registrar?.adopt(kept)
    for (const { flow } of kept) this.#needs.knows?.(flow)
    for (const binding of this.#registrar?.all() ?? []) this.#needs.keepsAlive?.bound(binding)
    return kept.length
  }

  onBound(binding: Binding, refreshed: boolean): void {
    const kept = this.#registrar?.kept(binding)
    if (kept !== undefined) this.#needs.journal.keep(keyOf(binding), kept)
    this.#needs.keepsAlive?.bound(binding)
    const who = refreshed ? null : this.#deviceOf(binding.aor)
    if (who !== null) this.#needs.tell({ kind: 'device.registered', ...who, contact: binding.contact })
  }

  onUnbound(binding: Binding, why: Unbound): void {
    this.#needs.journal.keep(keyOf(binding), null)
    this.#needs.keepsAlive?.unbound(binding)
    const who = this.#deviceOf(binding.aor)
    if (who !== null) this.#needs.tell({ kind: 'device.unregistered', ...who, contact: binding.contact, why })
  }

  /** Where the phone of a dialog can be reached now, its old connection being gone: the same contact, or the only other one of its address. */
  flowTo(kept: KeptDialog): Flow | null {
    const uri = /sips?:([^@;>]+)@(\[[^\]]+\]|[^;>?:]+)/i.exec(kept.remoteUri)
    const user = uri?.[1]?.toLowerCase()
    const host = uri?.[2]?.replace(/^\[|\]$/g, '')
    if (user === undefined || host === undefined || this.#registrar === null) return null
    const book = this.#needs.books.ofDomain(host, isIP(host) !== 0)
    if (book?.config.devicesByUsername.has(user) !== true) return null
    const bindings = this.#registrar.contactsOf(`${user}@${book.config.settled.sipDomain}`)
    const isTarget = ({ contact, instance }: Binding): boolean =>
      contact === kept.remoteTarget || (instance !== null && kept.remoteTarget.endsWith(`;gr=${instance.replace(/^<|>$/g, '')}`))
    const same = bindings.find(isTarget) ?? (bindings.length === 1 ? bindings[0] : undefined)
    return same?.flow ?? null
  }

  #deviceOf(aor: string): { tenant: string; device: string } | null {
    const at = aor.lastIndexOf('@')
    const book = this.#needs.books.ofDomain(aor.slice(at + 1), false)
    const device = book?.config.devicesByUsername.get(aor.slice(0, at))
    return book === null || device === undefined ? null : { tenant: book.tenant, device: device.id }
  }
}

function keyOf(binding: Binding): string {
  return `${prefix}${binding.aor}/${binding.contactKey}`
}

function isKeptBinding(value: unknown): value is KeptBinding {
  return typeof value === 'object' && value !== null && 'aor' in value && 'contact' in value && 'flow' in value && 'expiresWall' in value
}
