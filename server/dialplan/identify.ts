import { isIP } from 'node:net'
import type { DigestAlgorithm, DigestUser, Flow, Identified } from '#sip/agent.ts'
import { ha1 } from '#sip/auth/digest.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { CompiledDevice } from '#server/config/compiled.ts'
import type { Book, Books } from '#server/dialplan/books.ts'
import type { Decoys } from '#server/dialplan/decoys.ts'
import type { DeviceWho, TrunkWho } from '#server/dialplan/who.ts'
import type { TrunkLink } from '#server/trunks/trunk-link.ts'

export interface IdentifyNeeds {
  books: Books
  trunksFrom: (address: string, port: number) => readonly TrunkLink[]
  passwordOf: (tenant: string, device: CompiledDevice) => string | null
  /** Whether a host, as a phone may write it, is one of our own addresses. */
  isOurs: (host: string) => boolean
  decoys: Decoys
}

/**
 * Tells who sends a request. Carriers are known by the address they send from; phones prove themselves by digest. Everybody else is
 * challenged like a phone with a wrong password, so that nobody learns who exists.
 */
export class Identifier {
  #needs: IdentifyNeeds
  #users = new WeakMap<CompiledDevice, DigestUser>()

  constructor(needs: IdentifyNeeds) {
    this.#needs = needs
  }

  identify(request: SipRequest, source: Flow): Identified {
    const claimed = request.method === 'REGISTER' ? request.headers.to : request.headers.from
    const book = this.#bookOf(claimed)
    const device = book?.config.devicesByUsername.get(userOf(claimed)?.toLowerCase() ?? '')
    if (request.method !== 'REGISTER') {
      const links = this.#needs.trunksFrom(source.remote.address, source.remote.port)
      // A phone may live at a carrier's address (a test bench, an exchange of our own): then its name, not its address, decides.
      const sure = links.some((link) => link.hasAddress(source.remote.address, source.remote.port))
      if (links.length > 0 && (sure || device === undefined)) return { kind: 'trusted', identity: trunkWho(links) }
    }
    if (book === null) return { kind: 'challenge', realm: 'centrala', user: null }
    // Reckoned for who exists, too: time must not tell.
    const decoy = this.#needs.decoys.like(book.config, userOf(claimed) ?? '')
    const user = device?.transports.includes(source.transport) === true ? this.#user(book, device) : null
    return { kind: 'challenge', realm: book.config.settled.sipDomain, user: user ?? decoy }
  }

  #bookOf(claimed: NameAddr): Book | null {
    const uri = claimed.parsed
    if (uri.kind !== 'sip') return null
    return this.#needs.books.ofDomain(uri.host, isIP(uri.host) !== 0 || uri.host === 'localhost' || this.#needs.isOurs(uri.host))
  }

  #user(book: Book, device: CompiledDevice): DigestUser | null {
    const known = this.#users.get(device)
    if (known !== undefined) return known
    const password = this.#needs.passwordOf(book.tenant, device)
    if (password === null) return null
    const realm = book.config.settled.sipDomain
    const hash = (algorithm: DigestAlgorithm): string => ha1(algorithm, device.username, realm, password)
    const user: DigestUser = {
      username: device.username,
      algorithms: device.algorithms,
      ha1: { MD5: hash('MD5'), 'SHA-256': hash('SHA-256') },
      identity: this.#deviceWho(book, device),
    }
    this.#users.set(device, user)
    return user
  }

  #deviceWho(book: Book, device: CompiledDevice): DeviceWho {
    const { sipDomain, sipDomains } = book.config.settled
    return {
      kind: 'device',
      id: `${book.tenant}/${device.id}`,
      tenant: book.tenant,
      device: device.id,
      aor: `${device.username}@${sipDomain}`,
      knowsDomain: (host) => sipDomains.has(host) || isIP(host) !== 0 || host === 'localhost' || this.#needs.isOurs(host),
    }
  }
}

function trunkWho(links: readonly TrunkLink[]): TrunkWho {
  return {
    kind: 'trunk',
    id: links.map((link) => `${link.tenant}/${link.id}`).join(' '),
    aor: null,
    candidates: links.map((link) => ({ tenant: link.tenant, trunk: link.id })),
  }
}

export function userOf(address: NameAddr | null): string | undefined {
  const uri = address?.parsed
  if (uri?.kind === 'sip') return uri.user ?? undefined
  return uri?.kind === 'tel' ? uri.number : undefined
}
