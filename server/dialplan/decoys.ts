import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'

/**
 * Phones that stand in for those that do not exist, to be challenged like them: where a company's phones are offered different algorithms, each name
 * that nobody has is offered those of some of them, and always the same. Otherwise the offer would tell who exists.
 */
export class Decoys {
  readonly #key: KeyObject
  readonly #offers = new WeakMap<CompiledConfig, readonly Offer[]>()

  /** `secret`: outlives the process, or who comes again after a restart could tell. */
  constructor(secret: Uint8Array) {
    this.#key = createSecretKey(secret)
  }

  /** Undefined where there are no phones. `name`: as it is claimed. */
  like(config: CompiledConfig, name: string): CompiledDevice | undefined {
    const offers = this.#offersOf(config)
    const devices = (offers.length === 1 ? offers[0] : this.#drawn(config, offers, name))?.devices ?? []
    // Any of those that are offered the same: the memory of one is as near or far as that of another, which time would tell.
    let drawn = 0
    for (let i = 0; i < name.length; i++) drawn = (drawn * 31 + name.charCodeAt(i)) >>> 0
    return devices[drawn % Math.max(1, devices.length)]
  }

  #drawn(config: CompiledConfig, offers: readonly Offer[], name: string): Offer | undefined {
    const drawn = createHmac('sha256', this.#key).update(`${config.settled.sipDomain}\n${name.toLowerCase()}`).digest('hex')
    const lot = Number.parseInt(drawn.slice(0, 8), 16) / 2 ** 32
    return offers.find(({ upTo }) => lot < upTo) ?? offers[0]
  }

  #offersOf(config: CompiledConfig): readonly Offer[] {
    const known = this.#offers.get(config)
    if (known !== undefined) return known
    const made = offersOf([...config.devicesByUsername.values()])
    this.#offers.set(config, made)
    return made
  }
}

/** Phones that are offered the same algorithms, and up to where in 0 to 1 names fall to them. */
interface Offer {
  readonly devices: readonly CompiledDevice[]
  readonly upTo: number
}

/** By share, so that a new phone changes what few names are offered. */
function offersOf(devices: readonly CompiledDevice[]): readonly Offer[] {
  const byAlgorithms = Map.groupBy(devices, ({ algorithms }) => algorithms.join(' '))
  let total = 0
  return [...byAlgorithms]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, alike]) => ({ devices: alike, upTo: (total += alike.length) / devices.length }))
}
