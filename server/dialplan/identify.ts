import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { DigestAlgorithm, DigestUser, Flow, Identified } from '#sip/agent.ts'
import { ha1 } from '#sip/auth/digest.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
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

/** The passwords of so many phones are read and hashed with each request, as long as there are any that have not been. */
const madeKnown = 2

/** A phone, and what passes for one that does not exist: whatever its credentials are, they are not those of its name. */
interface Known {
  readonly user: DigestUser
  readonly decoy: DigestUser
}

/**
 * Tells who sends a request. Carriers are known by the address they send from; phones prove themselves by digest. Everybody else is
 * challenged like a phone with a wrong password, so that nobody learns who exists. Nor by time: whoever is named, the same is looked up, and what
 * is reckoned once for each phone is reckoned for as many by each request.
 */
export class Identifier {
  #needs: IdentifyNeeds
  readonly #known = new WeakMap<CompiledDevice, Known>()
  readonly #trunks = new WeakMap<TrunkLink, TrunkWho>()
  /** What is left of the phones of each version of a configuration to be made known. */
  readonly #unknown = new WeakMap<CompiledConfig, Iterator<CompiledDevice>>()
  /** A name that nobody can guess. */
  readonly #nobody = randomBytes(32).toString('hex')

  constructor(needs: IdentifyNeeds) {
    this.#needs = needs
  }

  identify(request: SipRequest, source: Flow): Identified {
    const { address, port } = source.remote
    const links = request.method === 'REGISTER' ? noTrunks : this.#needs.trunksFrom(address, port)
    if (links.some((link) => link.hasAddress(address, port))) return { kind: 'trusted', identity: this.#trunkWho(links) }
    const claimed = request.method === 'REGISTER' ? request.headers.to : request.headers.from
    const book = this.#bookOf(claimed)
    const device = book?.config.devicesByUsername.get(userOf(claimed)?.toLowerCase() ?? '')
    // A phone may live at a carrier's address (a test bench, an exchange of our own): then its name, not its address, decides.
    if (links.length > 0 && device === undefined) return { kind: 'trusted', identity: this.#trunkWho(links) }
    if (book === null) return { kind: 'challenge', realm: 'centrala', user: null }
    return { kind: 'challenge', realm: book.config.settled.sipDomain, user: this.#user(book, source, { claimed, device }) }
  }

  /** Made once for a trunk that has its address for itself, as nearly all do. */
  #trunkWho(links: readonly TrunkLink[]): TrunkWho {
    const [link] = links
    if (link === undefined || links.length > 1) return trunkWho(links)
    let who = this.#trunks.get(link)
    if (who === undefined) this.#trunks.set(link, (who = trunkWho(links)))
    return who
  }

  #user(book: Book, source: Flow, { claimed, device }: { claimed: NameAddr; device: CompiledDevice | undefined }): DigestUser | null {
    // Reckoned for who exists, too, and looked up for who does not: time must not tell.
    const standIn = this.#needs.decoys.like(book.config, userOf(claimed) ?? '')
    const either = device ?? standIn
    if (either === undefined) return null
    const { user, decoy } = this.#lookUp(book, either)
    return either.transports.includes(source.transport) && device !== undefined ? user : decoy
  }

  #bookOf(claimed: NameAddr): Book | null {
    const uri = claimed.parsed
    if (uri.kind !== 'sip') return null
    const { books, isOurs } = this.#needs
    const { host } = uri
    // Nearly all name a domain: whether it is an address takes longer to tell.
    return books.ofDomain(host, false) ?? (isIP(host) !== 0 || host === 'localhost' || isOurs(host) ? books.ofDomain(host, true) : null)
  }

  #lookUp(book: Book, device: CompiledDevice): Known {
    const unknown = this.#unknown.get(book.config) ?? this.#allOf(book.config)
    let left = madeKnown
    let next: CompiledDevice | undefined = device
    while (next !== undefined) {
      if (!this.#known.has(next)) {
        this.#known.set(next, this.#made(book, next))
        left--
      }
      // Who is taken from those that are left and not made known would never be.
      next = left > 0 ? unknown.next().value : undefined
    }
    return this.#known.get(device) ?? this.#made(book, device)
  }

  #allOf(config: CompiledConfig): Iterator<CompiledDevice> {
    const all = config.devicesByUsername.values()
    this.#unknown.set(config, all)
    return all
  }

  #made(book: Book, device: CompiledDevice): Known {
    const realm = book.config.settled.sipDomain
    const password = this.#needs.passwordOf(book.tenant, device)
    const hash = (algorithm: DigestAlgorithm): string => ha1(algorithm, device.username, realm, password ?? '')
    const secrets = { algorithms: device.algorithms, ha1: { MD5: hash('MD5'), 'SHA-256': hash('SHA-256') } }
    const decoy: DigestUser = { username: this.#nobody, ...secrets, identity: { id: 'nobody', aor: null } }
    if (password === null) return { user: decoy, decoy }
    return { user: { username: device.username, ...secrets, identity: this.#deviceWho(book, device) }, decoy }
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

const noTrunks: readonly TrunkLink[] = []

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
