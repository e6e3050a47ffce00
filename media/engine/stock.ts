import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { SocketAddress } from '#media/engine.ts'
import { type BindFault, isBindFault, type PairBinder, type PortPair } from '#media/socket/socket.ts'

/** Which ports an engine may use. */
export interface PortRange {
  /** Addresses to bind; a pair for each of them is kept. The first is the usual one. */
  addresses: readonly string[]
  /** RTP takes even ports from here on, RTCP the next ones. */
  first: number
  /** Last port, included. */
  last: number
  /** The settings that chose it, for the message that says what to change. Left out: those of the engines. */
  settings?: string
}

export interface StockNeeds {
  clock: Clock
  log: Log
  binder: PairBinder
  range: PortRange
  /** Where in the range to begin, [0, limit): so that ports cannot be guessed from the last start. */
  below(limit: number): number
}

/** Pairs kept ready per address; more while they are taken fast. */
const LEAST = 128
const MOST = 1024
/** Pairs told at once while more are being bound. */
const LOT = 16

/** A released pair is not used again before so long: late packets of the old call find nobody. */
const REST_MS: Millis = 3000

/**
 * Pairs beyond the most kept ready are kept for so long after their rest, for the next burst of calls: to bind one costs as much as a quarter of all
 * that a call without media costs this process.
 */
const SPARE_MS: Millis = 30_000

/** The ends of rests are told together. */
const REST_TOLD_MS: Millis = 250

/** A port that another program has is tried again after so long. */
const TAKEN_MS: Millis = 60_000

/** Who has a port is asked so often at most: it means a look at every process of the machine. */
const OWNER_PAUSE_MS: Millis = 10_000

/** A pair that an engine had before it died may be free only when its process is quite gone. */
const CLAIM_PAUSE_MS: Millis = 20
const CLAIM_TRIES = 40

/**
 * RTP/RTCP port pairs bound in advance, so that taking one is immediate. A released pair keeps its sockets, rests, and
 * comes back. Whoever takes a pair releases it here; `close` closes what rests or waits.
 */
export class PortStock {
  /** Called with pairs that became free, beyond those known from `free`. */
  onAdded: (added: readonly SocketAddress[]) => void = () => undefined
  readonly #needs: StockNeeds
  readonly #shelves: Shelf[]
  #rest: Disposable | null = null
  #closed = false

  constructor(needs: StockNeeds) {
    this.#needs = needs
    this.#shelves = needs.range.addresses.map((address) => new Shelf(address, needs, (added) => this.onAdded(added)))
  }

  /** Binds the first pairs. Null, or a sentence for the operator when not one can be bound on the usual address; without another address we can do. */
  async open(): Promise<string | null> {
    for (const [index, shelf] of this.#shelves.entries()) {
      await shelf.fill()
      if (shelf.ready.size > 0) continue
      const refusal = await this.#refusal(shelf)
      if (index === 0) return refusal
      this.#needs.log.warn(refusal)
    }
    return null
  }

  /** Pairs that can be taken at once. */
  get free(): readonly SocketAddress[] {
    return this.#shelves.flatMap((shelf) => [...shelf.ready.values()].map((pair) => pair.local))
  }

  /** How many pairs the range holds. */
  get capacity(): number {
    return this.#shelves.reduce((sum, shelf) => sum + shelf.pairs, 0)
  }

  /** A pair that is ready. null: it is not; `claim` may have it. */
  take(local: SocketAddress): PortPair | null {
    return this.#shelf(local)?.take(local.port) ?? null
  }

  /** Exactly this pair, ready, resting or not yet bound: for an endpoint that has promised its port to a peer. */
  async claim(local: SocketAddress): Promise<PortPair | BindFault> {
    const shelf = this.#shelf(local)
    const ready = shelf?.take(local.port) ?? shelf?.wakeUp(local.port) ?? null
    if (ready !== null) return ready
    shelf?.use(local.port, true)
    for (let tries = 1; ; tries++) {
      const bound = await this.#needs.binder.bind(local)
      if (!isBindFault(bound)) return this.#closed ? closedPair(bound) : bound
      if (bound.kind === 'refused' || tries >= CLAIM_TRIES || this.#closed) {
        shelf?.use(local.port, false)
        return bound
      }
      await new Promise<void>((resolve) => void this.#needs.clock.after(CLAIM_PAUSE_MS, resolve))
    }
  }

  /** Gives a pair back: its sockets silent and not fixed. */
  release(pair: PortPair): void {
    const shelf = this.#shelf(pair.local)
    if (this.#closed || shelf === undefined) {
      closePair(pair)
      return
    }
    shelf.resting.push({ pair, until: this.#needs.clock.now() + REST_MS })
    this.#watchRest()
  }

  /** See PairBinder.ownerOf. */
  ownerOf(port: number): Promise<string | null> {
    return this.#needs.binder.ownerOf(port)
  }

  /** Closes every socket that is not in use. */
  close(): void {
    this.#closed = true
    this.#rest?.[Symbol.dispose]()
    for (const shelf of this.#shelves) shelf.close()
  }

  #shelf(local: SocketAddress): Shelf | undefined {
    return this.#shelves.find((shelf) => shelf.address === local.address)
  }

  #watchRest(): void {
    if (this.#rest !== null || this.#closed) return
    const next = Math.min(...this.#shelves.map((shelf) => shelf.resting[0]?.until ?? Number.POSITIVE_INFINITY))
    if (next === Number.POSITIVE_INFINITY) return
    this.#rest = this.#needs.clock.after(Math.max(REST_TOLD_MS, next - this.#needs.clock.now()), () => {
      this.#rest = null
      for (const shelf of this.#shelves) shelf.endRest(this.#needs.clock.now())
      this.#watchRest()
    })
  }

  async #refusal(shelf: Shelf): Promise<string> {
    const { first, last, settings = usualSettings } = this.#needs.range
    const setting = `The range is set by ${settings}.`
    const fault = shelf.fault
    const where = `${shelf.address} from ${first} to ${last}`
    if (fault === null) return `No RTP port pair lies in the range ${where}: an even port and the next one are needed. ${setting}`
    if (fault.kind === 'refused')
      return `No RTP port could be bound on ${where}: port ${fault.port} was refused (${fault.code}). ${setting}`
    const owner = await this.#needs.binder.ownerOf(fault.port)
    return `No RTP port could be bound on ${where}: port ${fault.port} is taken by ${owner ?? 'another program'}. ${setting}`
  }
}

const usualSettings = 'CENTRALA_RTP_FIRST_PORT and CENTRALA_RTP_LAST_PORT'

/** The pairs of one address. */
class Shelf {
  readonly address: string
  readonly ready = new Map<number, PortPair>()
  /** 1 for pairs in use or resting, by their place in the range. */
  readonly #used: Uint8Array
  /** By instant. */
  readonly resting: { pair: PortPair; until: Millis }[] = []
  /** The last port that could not be bound, and why. */
  fault: BindFault | null = null
  /** How many pairs the range holds. */
  readonly pairs: number
  readonly #needs: StockNeeds
  readonly #added: (added: readonly SocketAddress[]) => void
  readonly #first: number
  readonly #takenUntil = new Map<number, Millis>()
  readonly #told = new Set<number>()
  #askAgainAt = Number.NEGATIVE_INFINITY
  /** Taken ports of which nobody has been told since the last line about one. */
  #untold = 0
  #cursor: number
  #target = LEAST
  #filling = false
  #closed = false

  constructor(address: string, needs: StockNeeds, added: (added: readonly SocketAddress[]) => void) {
    this.address = address
    this.#needs = needs
    this.#added = added
    const { first, last } = needs.range
    this.#first = first + (first % 2)
    this.pairs = Math.max(0, Math.floor((last - this.#first + 1) / 2))
    this.#used = new Uint8Array(this.pairs)
    this.#cursor = this.pairs === 0 ? 0 : needs.below(this.pairs)
  }

  take(port: number): PortPair | null {
    const pair = this.ready.get(port)
    if (pair === undefined) return null
    this.ready.delete(port)
    this.use(port, true)
    if (this.ready.size < this.#target / 4) this.#target = Math.min(MOST, this.#target * 2)
    if (this.ready.size < (this.#target * 3) / 4) void this.fill()
    return pair
  }

  /** Notes that a port is in use, or no longer. One beyond the range is nobody else's. */
  use(port: number, isUsed: boolean): void {
    this.#used[(port - this.#first) / 2] = isUsed ? 1 : 0
  }

  #isUsed(port: number): boolean {
    return this.#used[(port - this.#first) / 2] === 1
  }

  /** A resting pair, before its time. */
  wakeUp(port: number): PortPair | null {
    const index = this.resting.findIndex((each) => each.pair.local.port === port)
    const [woken] = index < 0 ? [] : this.resting.splice(index, 1)
    return woken?.pair ?? null
  }

  /** Binds pairs until there are enough ready, or no port is left to try. */
  async fill(): Promise<void> {
    if (this.#filling) return
    this.#filling = true
    this.endRest(this.#needs.clock.now())
    let added: SocketAddress[] = []
    // Told in small lots, as they come: in a burst of calls somebody waits for the first of them.
    const tell = (): void => {
      const ready = added.filter(({ port }) => this.ready.has(port))
      added = []
      if (ready.length > 0) this.#added(ready)
    }
    for (let left = this.pairs; left > 0 && this.ready.size < this.#target && !this.#closed; left--) {
      const port = this.#first + 2 * this.#cursor
      this.#cursor = (this.#cursor + 1) % this.pairs
      if (!this.#isFree(port)) continue
      const pair = await this.#needs.binder.bind({ address: this.address, port })
      if (isBindFault(pair)) this.#skip(port, pair)
      else if (this.#closed || this.#isUsed(port)) closePair(pair)
      else {
        this.ready.set(port, pair)
        added.push(pair.local)
        if (added.length >= LOT) tell()
      }
    }
    this.#filling = false
    tell()
  }

  /** Pairs that have rested long enough can be taken again; what goes beyond the most kept ready is spared for a while and then closed. */
  endRest(now: Millis): void {
    const added: SocketAddress[] = []
    for (let next = this.resting[0]; next !== undefined && next.until <= now; next = this.resting[0]) {
      const { pair } = next
      const isFull = this.ready.size >= MOST
      if (isFull && now < next.until + SPARE_MS) break
      this.resting.shift()
      this.use(pair.local.port, false)
      if (isFull) closePair(pair)
      else {
        this.ready.set(pair.local.port, pair)
        added.push(pair.local)
      }
    }
    if (added.length > 0) this.#added(added)
  }

  close(): void {
    this.#closed = true
    for (const pair of this.ready.values()) closePair(pair)
    for (const { pair } of this.resting) closePair(pair)
    this.ready.clear()
    this.resting.length = 0
  }

  #isFree(port: number): boolean {
    if (this.ready.has(port) || this.#isUsed(port)) return false
    return (this.#takenUntil.get(port) ?? Number.NEGATIVE_INFINITY) <= this.#needs.clock.now()
  }

  #skip(port: number, fault: BindFault): void {
    this.fault = fault
    this.#takenUntil.set(port, this.#needs.clock.now() + TAKEN_MS)
    if (this.#told.has(fault.port)) return
    this.#told.add(fault.port)
    const now = this.#needs.clock.now()
    if (now < this.#askAgainAt) {
      this.#untold++
      return
    }
    this.#askAgainAt = now + OWNER_PAUSE_MS
    const others = this.#untold
    this.#untold = 0
    void this.#needs.binder.ownerOf(fault.port).then((owner) => {
      const taken = { port: fault.port, owner, code: fault.code, ...(others > 0 && { others }) }
      this.#needs.log.warn('an RTP port is taken by another program and skipped', taken)
    })
  }
}

function closePair(pair: PortPair): void {
  pair.rtp.close()
  pair.rtcp.close()
}

function closedPair(pair: PortPair): BindFault {
  closePair(pair)
  return { kind: 'refused', port: pair.local.port, code: 'the engine is closing' }
}
