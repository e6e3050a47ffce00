import { isIP, type BlockList } from 'node:net'
import { isWithin, networksOf, overlap } from '#server/trunks/networks.ts'

/** Sources of trunk calls that several companies of a system may have, by the operator's word: addresses, networks and host names. */
export class SharedSources {
  readonly #networks: BlockList
  readonly #list: readonly string[]
  readonly #names: ReadonlySet<string>

  constructor(list: readonly string[]) {
    this.#list = list
    this.#networks = networksOf(list)
    this.#names = new Set(list.filter((entry) => isIP(entry) === 0 && !entry.includes('/')).map((name) => name.toLowerCase()))
  }

  /** Whether an address, a whole network, or a name is shared. */
  covers(source: string): boolean {
    const [address = '', bits] = source.split('/')
    if (isIP(address) === 0) return this.#names.has(source.toLowerCase())
    if (bits === undefined) return isWithin(this.#networks, address)
    // The whole of it: within a shared network that is no smaller.
    return this.#list.some((entry) => Number(entry.split('/')[1] ?? Number.NaN) <= Number(bits) && overlap(entry, source))
  }
}
